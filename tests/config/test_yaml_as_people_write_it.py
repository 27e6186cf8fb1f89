"""Configs that mean something else than their writer thinks, and paths as a shell has them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from brainarch.config.read import change_config, check_config, read_content
from brainarch.errors import InputError

OWN = (Path(__file__).parents[2] / "config/own_volume.yaml").read_text()


def read(folder: Path, text: str | bytes, name: str = "my.yaml") -> dict[str, object]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_content(path)


REFUSED = {
    "twice": ("a: 1\nvolume:\n  x: 1\n  y: 2\n  x: 1\n", "volume.x stands twice, in lines 3 and 5"),
    "twice at the top": ("a: 1\nb: 2\na: 1\n", "a stands twice, in lines 1 and 3"),
    "twice in a list": ("a:\n- {n: 1}\n- {n: 2, n: 3}\n", "a.n stands twice, in lines 3 and 3"),
    "NO": ("areas:\n- name: NO\n", "line 2: NO without quotes means false; write 'NO' in quotes"),
    "on": ("on: 1\n", "line 1: on without quotes means true; write 'on' in quotes"),
    "octal": (
        "a: [1, 010]\n",
        "line 1: 010 without quotes means 8; write '010' in quotes if it is a name, or 10 for",
    ),
    "minutes": ("a: 1:30\n", "line 1: 1:30 without quotes means 90; write '1:30' in quotes"),
    "a colour": (
        "areas:\n- {name: A}  # fine\n- name: B\n  colour: #00ff7F\n",
        "line 4: without quotes #00ff7F is a comment; write '#00ff7F' in quotes",
    ),
    "a path of Windows": (
        'a: "C:\\scan"\n',
        "line 1, column 8: found unknown escape character 's'; ",
    ),
    "a day": ("a: 2026-01-02\n", "line 1: 2026-01-02 without quotes means a time"),
    "Latin-1": ("a: 1\ntitle: Gehirn ü\n".encode("latin-1"), "line 2 is not UTF-8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_means_something_else_is_refused(case: str, tmp_path: Path) -> None:
    text, words = REFUSED[case]
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'my.yaml'}: {words}")
    assert "\n" not in str(caught.value)


def test_what_is_plain_is_read_as_yaml_has_it(tmp_path: Path) -> None:
    text = "a: 'NO'\nb: [true, 0, 007, 08, -3, 0x10, .5, 1e-4, ~]\nc: {<<: &x {k: 1}, l: 2}"
    assert read(tmp_path, text) == yaml.safe_load(text)
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\n") == {"a": 1}
    with pytest.raises(InputError, match="a stands twice; keep one"):
        read(tmp_path, '{"a": 1, "a": 2}', "my.json")
    with pytest.raises(InputError, match=r"--set volume\.path=NO: line 1: NO without quotes"):
        change_config(yaml.safe_load(OWN), ["volume.path=NO"], "my.yaml")


def test_paths_are_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("SCANS", "/scans")
    monkeypatch.delenv("NOWHERE", raising=False)
    content = yaml.safe_load(OWN)
    content["volume"]["path"] = "~/brain 1"
    content["annotations"]["path"] = "${SCANS}/{sample}/z{z:04d}.tif"
    config = check_config(content, "my.yaml")
    assert config.volume.path == "/home/me/brain 1"
    assert config.annotations.path == "/scans/{sample}/z{z:04d}.tif"
    content["volume"]["path"] = "$NOWHERE/brain"
    with pytest.raises(InputError, match=r"volume.path: \$NOWHERE stands for nothing; set this"):
        check_config(content, "my.yaml")
    (tmp_path / "$NOWHERE").mkdir()
    monkeypatch.chdir(tmp_path)
    assert check_config(content, "my.yaml").volume.path == "$NOWHERE/brain"


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("annotations", "transpose", False, "annotations.transpose: this key is now annotations.a"),
        ("annotations", "axes", "xy", "annotations.axes: wanted 'zyx', 'zxy', 'xyz'"),
        ("volume", "nan", 0, "volume.nan: only float data with a volume.window have NaN pixels"),
        ("volume", "file_step", 0, "volume.file_step: "),
        ("volume", "voxel_um", float("inf"), "volume.voxel_um: "),
        ("annotations", "path", "labels/{slice}.png", "needs {z} where the slice stands"),
    ],
)
def test_keys_that_do_not_fit(section: str, key: str, value: object, words: str) -> None:
    content = yaml.safe_load(OWN)
    content[section][key] = value
    with pytest.raises(InputError) as caught:
        check_config(content, "my.yaml")
    assert words in str(caught.value)


def test_a_seed_that_a_library_would_refuse() -> None:
    with pytest.raises(InputError, match="seed: "):
        check_config(yaml.safe_load(OWN) | {"seed": 2**32}, "my.yaml")
