"""The index of slices: what each has, and what the others' logs say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from brainarch.cli import slices as verb
from brainarch.pipeline.pipeline import Pipeline
from brainarch.tables import read_table

CONFIG = Path(__file__).parents[2] / "config/test.yaml"


def test_what_is_there_what_is_not_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = yaml.safe_load(CONFIG.read_text())
    content["extraction"] |= {"slices": "100:112:4", "where": "tissue"}
    content["splits"]["test"] = [104]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    results = Pipeline.read(Path("config.yaml")).results
    for path in (results.cube(100), results.proof(100), results.coefficients(100),
                 results.prediction(100, "areas.zarr"), results.cube(104)):  # fmt: skip
        Path(path).mkdir(parents=True)
    logs = Path(results.folder) / "logs"
    logs.mkdir()
    (logs / "extract-z0108-cnn.log").write_text("INFO: x\nbrainarch: error: slice 108: torn\n")
    (logs / "extract-z0100-cnn.log").write_text("brainarch: error: of an earlier run\n")
    verb.slices(Path("config.yaml"))
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "1 of 3 are complete",
        "cnn, slice 104: no proof, areas, coefficients",
        "cnn, slice 108: no cube, proof, areas, coefficients (slice 108: torn)",
    ]
    table = read_table(Path(results.slices))
    assert table["slice"].tolist() == [100, 104, 108]
    assert table["cube"].fillna("").tolist() == [results.cube(100), results.cube(104), ""]
