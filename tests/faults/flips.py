"""Single bytes of finished results changed, and chunks removed, one after the other.

Each change is read through the package's readers: it is refused in one line that names the store
or file, or what is read is what was read before. Everything is put back. As a script, over a
finished run::

    python tests/faults/flips.py results/test 1000
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brainarch.annotations.store import Labels, open_labels
from brainarch.config.frozen import is_frozen
from brainarch.config.read import read_config
from brainarch.dense.cube import Cube
from brainarch.embedding.representations import (
    CLEAN,
    NOISY,
    Representations,
    load_noisy,
    load_representations,
)
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Grid
from brainarch.grids.maps import SliceMaps
from brainarch.network.trained import load_network
from brainarch.readout import gram_excerpt
from brainarch.records import read_record
from brainarch.tables import read_columns, read_table, sidecar_path
from brainarch.verification.sound import checked_in
from brainarch.volume.store import Volume, open_volume


class Digest:
    """Collects what was read."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, *values: Any) -> None:
        for value in values:
            if isinstance(value, np.ndarray):
                self._sha256.update(f"{value.shape} {value.dtype}".encode())
                self._sha256.update(np.ascontiguousarray(value).tobytes())
            else:
                self._sha256.update(json.dumps(value, sort_keys=True, default=str).encode())

    def __str__(self) -> str:
        return self._sha256.hexdigest()


def kind_of(path: Path) -> str:
    """Return what a store or a file is, as long as it is sound."""
    if path.is_file():
        return {".safetensors": "network", ".csv": "table"}.get(path.suffix, "JSON")
    attributes = json.loads((path / "zarr.json").read_text())["attributes"]
    if "format" in attributes:
        return str(attributes["format"])
    return "labels" if "annotated_slices" in attributes["brainarch"] else "volume"


def read(path: Path, kind: str) -> str:
    """Return a digest of all that the package's readers say of a store."""
    READERS[kind](path, digest := Digest())
    return str(digest)


def _grid(grid: Grid, digest: Digest) -> None:
    digest.add(grid.attrs, grid.y, grid.x, grid.z, grid.stride, grid.pixel_um, grid.key)


def _cube(path: Path, digest: Digest) -> None:
    cube = Cube.open(path)
    _grid(cube, digest)
    digest.add(cube.extracted, cube.storage, *cube.read())


def _coefficients(path: Path, digest: Digest) -> None:
    maps = CoefficientMaps.open(path)
    _grid(maps, digest)
    digest.add(maps.extracted, *(maps.factor_map(i + 1) for i in range(maps.factors)))
    for part in maps.batches(np.ones(maps.shape, dtype=bool)):
        digest.add(*part)


def _maps(path: Path, digest: Digest) -> None:
    maps = SliceMaps.open(path)
    _grid(maps, digest)
    for name in sorted(file.parent.name for file in path.glob("*/zarr.json")):
        digest.add(name, maps.read(name))


def _patches(found: Representations, digest: Digest) -> None:
    digest.add(*(getattr(found, name) for name in Representations.__dataclass_fields__))


def _noisy(path: Path, digest: Digest) -> None:
    found = load_noisy(path)
    digest.add(found.variance)
    for level in found.levels:
        _patches(level, digest)


def _gram(path: Path, digest: Digest) -> None:
    found = gram_excerpt.load_excerpt(path)
    digest.add(found.gram, found.area, found.areas, found.network)


def _image(image: Volume | Labels, digest: Digest, slices: Sequence[int]) -> None:
    digest.add(image.shape, image.pixel_um, image.slice_um, image.first_slice, image.shift_um)
    for z in slices:
        digest.add(z, image.read_slice(z))


def _labels(path: Path, digest: Digest) -> None:
    labels = open_labels(path)
    _image(labels, digest, labels.annotated_slices)


def _volume(path: Path, digest: Digest) -> None:
    volume = open_volume(path)
    depth = volume.chunks[0]
    for z in volume.slices[::depth]:  # slices of one chunk are read together
        rows, columns = volume.shape[1:]
        stop = min(z + depth, volume.slices[-1] + 1)
        digest.add(volume.read_block((z, stop), (0, rows), (0, columns)))
    _image(volume, digest, volume.slices[:1])


def _network(path: Path, digest: Digest) -> None:
    network = load_network(path)
    digest.add(network.digest, network.training, network.areas)


def _table(path: Path, digest: Digest) -> None:
    digest.add(read_table(path, empty=True).to_csv(), read_columns(path))


def _json(path: Path, digest: Digest) -> None:
    frozen = is_frozen(path)
    digest.add(read_config(path).model_dump(mode="json") if frozen else read_record(path))


READERS = {
    Cube.LAYOUT.format: _cube,
    CoefficientMaps.LAYOUT.format: _coefficients,
    SliceMaps.LAYOUT.format: _maps,
    CLEAN.format: lambda path, digest: _patches(load_representations(path), digest),
    NOISY.format: _noisy,
    gram_excerpt.LAYOUT.format: _gram,
    "labels": _labels,
    "volume": _volume,
    "network": _network,
    "table": _table,
    "JSON": _json,
}


@dataclass
class Outcome:
    """What became of the changes.

    Attributes
    ----------
    counts : Counter
        By kind of store, kind of change and what came of it.
    wrong : list of str
        Changes that were neither refused in one line nor without effect.
    """

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Bench:
    """Finished results, and what they say.

    Parameters
    ----------
    results : sequence of Path
        Stores, networks, tables and JSON; see `brainarch.verification.sound.checked_in`.
    """

    def __init__(self, results: Sequence[Path]) -> None:
        self._kinds = {path: kind_of(path) for path in results}
        self._sound = {path: read(path, kind) for path, kind in self._kinds.items()}
        self.outcome = Outcome()

    def flip(self, count: int, seed: int) -> None:
        """Change single bytes: half of any byte, half of any result, large or small."""
        rng = np.random.default_rng(seed)
        files = [(path, file) for path in self._kinds for file in _files(path)]
        sizes = np.array([file.stat().st_size for _, file in files], dtype=np.float64)
        own = Counter(path for path, _ in files)
        evenly = np.array([1 / own[path] / len(own) for path, _ in files])
        for number in range(count):
            chance = sizes / sizes.sum() if number % 2 else evenly
            path, file = files[rng.choice(len(files), p=chance)]
            place, change = int(rng.integers(file.stat().st_size)), int(rng.integers(1, 256))
            sound = file.read_bytes()
            file.write_bytes(sound[:place] + bytes([sound[place] ^ change]) + sound[place + 1 :])
            self._judge(path, "flip", f"{file} byte {place} ^ {change}")
            file.write_bytes(sound)

    def remove_chunks(self) -> None:
        """Remove every chunk once."""
        for path in self._kinds:
            for file in _files(path):
                if "/c/" in str(file.relative_to(path.parent)):
                    sound = file.read_bytes()
                    file.unlink()
                    self._judge(path, "lost chunk", str(file))
                    file.write_bytes(sound)

    def _judge(self, path: Path, change: str, said: str) -> None:
        kind = self._kinds[path]
        try:
            effect = "no effect" if read(path, kind) == self._sound[path] else "read as another"
        except InputError as error:
            line = str(error)
            named = any(str(name) in line for name in (path, sidecar_path(path)))
            effect = "refused" if named and "\n" not in line else f"refused: {line}"
        except Exception as error:  # that is what is looked for
            effect = f"{type(error).__name__}: {error}"
        self.outcome.counts[kind, change, effect.split(":")[0]] += 1
        if effect not in ("no effect", "refused"):
            self.outcome.wrong.append(f"{said}: {effect}")


def _files(path: Path) -> list[Path]:
    if path.suffix == ".csv":
        return [path, sidecar_path(path)]
    found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [file for file in found if file.name != ".snakemake_timestamp"]


def main() -> None:
    """Play them on a finished run and print a table."""
    bench = Bench(list(checked_in(Path(sys.argv[1]))))
    bench.flip(int(sys.argv[2]), seed=int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    bench.remove_chunks()
    for (kind, change, effect), count in sorted(bench.outcome.counts.items()):
        print(f"{kind:40}{change:12}{effect:20}{count:6}")
    print(*bench.outcome.wrong[:40], sep="\n")


if __name__ == "__main__":
    main()
