"""What the repository may hold, and that its lists of versions agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from brainarch.figures.catalogue import FIGURES

ROOT = Path(__file__).parents[2]
IMAGE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".tif", ".tiff", ".webp", ".bmp", ".npy",
    ".npz", ".nrrd", ".safetensors", ".ckpt", ".pt",
}  # fmt: skip
#: Every image of the repository; all of them come from the phantom.
#: Small pictures of the synthetic volume's figures; see bench/gallery.py.
GALLERY = "docs/images/gallery/"
ALLOWED_IMAGES = {
    "docs/images/explore.png",
    "docs/images/overview.png",
    "docs/images/tutorial_maps.png",
}
#: What conda calls a package that pip calls otherwise.
CONDA_NAMES = {
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "dask-core": "dask",
    "snakemake-minimal": "snakemake",
}
#: What a package is imported as, where that is not its name.
MODULES = {
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
#: Packages that others load (codecs of TIFF files), or that run the workflow.
NOT_IMPORTED = {"imagecodecs", "snakemake"}


def tracked() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return listing.stdout.splitlines()


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().split()
    return dict(line.split("==") for line in lines)


def test_no_image_or_weights_but_the_listed_ones() -> None:
    found = {name for name in tracked() if Path(name).suffix.lower() in IMAGE_SUFFIXES}
    assert {name for name in found if not name.startswith(GALLERY)} <= ALLOWED_IMAGES
    figures = {f"{GALLERY}{figure.name}.png" for figure in FIGURES}
    assert {name for name in found if name.startswith(GALLERY)} <= figures


def test_no_large_file() -> None:
    large = [name for name in tracked() if (ROOT / name).stat().st_size > 1_500_000]
    assert large == []


def test_lock_is_flat_and_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in text.split())


def test_lock_satisfies_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = locked()
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in declared:
        name, least = requirement.lower().split(">=")
        ours = [int(part) for part in re.findall(r"\d+", versions[name])]
        assert ours >= [int(part) for part in re.findall(r"\d+", least)], requirement


def test_conda_environment_is_the_locked_one() -> None:
    """Every dependency of the package, at the version of the lock."""
    content = yaml.safe_load((ROOT / "envs/brainarch.yaml").read_text())
    entries = dict(entry.partition("=")[::2] for entry in content["dependencies"])
    entries = {CONDA_NAMES.get(name, name): version for name, version in entries.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {requirement.split(">=")[0] for requirement in project["dependencies"]}
    assert set(entries) == declared | {"python", "pip", "setuptools"}
    versions = locked()
    for name in declared:
        assert entries[name] == versions[name], name


def test_every_imported_package_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split("[>=]", requirement)[0] for requirement in project["dependencies"]}
    modules = {MODULES.get(name, name.replace("-", "_")) for name in declared}
    imported: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    own = {"brainarch", *sys.stdlib_module_names}
    extras = project["optional-dependencies"]  # imported where they are asked for
    wanted = [*extras["volume"], *extras["s3"]]
    own |= {re.split("[>=]", requirement)[0] for requirement in wanted}
    assert imported - own == modules - NOT_IMPORTED


def test_licence_and_citation_agree_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == project["license"] == "BSD-3-Clause"
    assert citation["version"] == project["version"]
    assert len(citation["references"]) == 3


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("config/*.md"), *ROOT.glob("docs/*.md")]
    for page in [*pages, ROOT / "results/README.md"]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links {target}"
