"""The script that is committed is the one that its modules make."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from shutil import which

import pytest
from explorer_inputs import MODULES

BUILT = MODULES.parent / "explorer.js"
NO_TOOLS = pytest.mark.skipif(
    which("node") is None or not (MODULES / "node_modules/esbuild").exists(),
    reason="esbuild and typescript are not installed: run make page",
)


def test_the_script_was_built_from_these_modules() -> None:
    sources = sorted(MODULES.glob("*.js"), key=lambda path: path.name)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    assert BUILT.read_text().splitlines()[0].endswith(digest), "run make page"


@NO_TOOLS
def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    again = tmp_path / "explorer.js"
    subprocess.run(["node", "build.mjs", str(again)], cwd=MODULES, check=True)
    assert again.read_bytes() == BUILT.read_bytes()


@NO_TOOLS
@pytest.mark.slow
def test_types_hold() -> None:
    run = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "--project", "tsconfig.json"],
        cwd=MODULES, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def test_the_vendored_library_is_named_with_version_and_licence() -> None:
    folder = MODULES.parent / "vendor/openseadragon"
    version = json.loads((MODULES / "package.json").read_text())["devDependencies"]["openseadragon"]
    assert f"openseadragon {version}" in (folder / "openseadragon.min.js").read_text()[:60]
    assert f"OpenSeadragon {version}" in (folder / "README.md").read_text()
    assert (
        "Redistribution and use in source and binary forms" in (folder / "LICENSE.txt").read_text()
    )
