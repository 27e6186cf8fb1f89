"""What was planted inside areas of the phantom, and whether a factor follows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from brainarch.annotations.legend import read_legend
from brainarch.annotations.store import open_labels
from brainarch.factors.alignment import RankedMaps, compare_factors
from brainarch.factors.coefficients import CoefficientMaps, open_together
from brainarch.geometry import PATCH
from brainarch.grids.grid import Place
from brainarch.grids.labels import on_grid
from brainarch.microstructure.planted import read_truth
from brainarch.statistics.levels import LEVEL
from brainarch.tables import write_table

#: Distance of the pixels that are looked at, in pixels of the slice (ours).
STEP_PX = 16
#: What is told wall from hollow, and codes of the microstructure's truth.
BARRELS = "barrels"
MICROSTRUCTURE = {"cell bodies": 3, "myelinated axons": 1, "vessels": 2}
#: Where something is looked for, besides inside one area.
EVERYWHERE = "all areas"

PLANTED_COLUMNS = {
    "planted": "what was planted",
    "where": "where it was looked for",
    "contrast": "what is told from what",
    "slice": "slice that nothing was fitted or chosen on",
    "factor": "factor with the highest AUROC on the fitted slices, from 1",
    "auroc_fitted": "that AUROC",
    "auroc": "AUROC of that factor on this slice; empty where it cannot be looked for",
    "null_99": f"AUROC above which p is at most {LEVEL:g}",
    "p": "chance that a field as autocorrelated as the factor tells it so well",
    "above_null": f"p at most {LEVEL:g}",
    "note": "why it was not looked for",
}

Codes = NDArray[np.int64]


def find_planted(
    *,
    fitted: Sequence[Path],
    others: Sequence[Path],
    labels: Path,
    legend: Path,
    truth: Path,
    planted: Path,
    area: str | None,
    nulls: int,
    seed: int,
) -> None:
    """Look for barrels, cells, axons and vessels of the phantom in the factors.

    Parameters
    ----------
    fitted, others : sequence of Path
        Coefficient maps of the fitted slices, on which factors are chosen, and of others.
    labels, legend : Path
        Area labels and their legend.
    truth : Path
        Folder of what was planted.
    planted : Path
        Table to write.
    area : str or None
        The area that is divided: there things are looked for once more, because a factor that tells
        areas apart follows whatever differs between them.
    nulls : int
        Fields that each factor is compared with.
    seed : int
        Of the fields.

    Raises
    ------
    InputError
        If the files do not belong together, or the truth cannot be read.
    """
    opened = open_together([*fitted, *others])
    names = read_legend(legend)
    maps = [_Thinned(own) for own in opened]
    image = open_labels(labels)
    areas = [
        np.where(own.extracted, on_grid(image.read_slice(own.z), own.place, str(labels)), 0)
        for own in maps
    ]
    inside = {EVERYWHERE: [codes > 0 for codes in areas]}
    if area is not None:
        inside[area] = [codes == names.code_of(area) for codes in areas]
    rows = []
    for what, contrast, codes in _targets(maps, truth):
        places = list(inside.items())
        for where, masks in places[-1:] if what == BARRELS else places:
            own = [_contrasted(c, mask, what) for c, mask in zip(codes, masks, strict=True)]
            place = {"planted": what, "where": where, "contrast": contrast}
            rows += [place | row for row in _followed(maps, own, len(fitted), nulls, seed)]
    frame = pd.DataFrame(rows, columns=list(PLANTED_COLUMNS))
    write_table(frame, planted, PLANTED_COLUMNS)


class _Thinned:
    """Coefficient maps of a slice at every `STEP_PX`-th pixel."""

    def __init__(self, maps: CoefficientMaps) -> None:
        step = max(1, round(STEP_PX / maps.stride))
        self.z, self.side = maps.z, step * maps.stride
        self.place = Place(maps.z, self.side, maps.pixel_um, maps.y[::step], maps.x[::step])
        self.values = [maps.factor_map(1 + i, step) for i in range(maps.factors)]
        self.extracted = maps.extracted[::step, ::step]


def patch_density(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the share of each pixel's patch that a mask covers."""
    return np.asarray(uniform_filter(mask.astype(np.float32), PATCH, mode="constant"))


def _targets(
    maps: Sequence[_Thinned], truth: Path
) -> Iterator[tuple[str, str, Sequence[NDArray[np.floating]]]]:
    """Yield what is planted, the contrast, and its values on each slice's thinned grid."""
    codes = [on_grid(read_truth(truth, BARRELS, own.z), own.place, str(truth)) for own in maps]
    found = [own.astype(np.float64) for own in codes]
    yield BARRELS, "walls from hollows", found
    micro = [read_truth(truth, "microstructure", own.z) for own in maps]
    for what, code in MICROSTRUCTURE.items():
        dense = [
            on_grid(patch_density(grey == code), own.place, str(truth))
            for grey, own in zip(micro, maps, strict=True)
        ]
        yield what, "patches with more than the median from those with less", dense


def _contrasted(values: NDArray[np.floating], mask: NDArray[np.bool_], what: str) -> Codes:
    """Return 1 where something is, or is dense, 2 where it is not, 0 where nobody looks."""
    if what == BARRELS:
        return np.where(mask, values, 0).astype(np.int64)
    if not mask.any():
        return np.zeros(mask.shape, dtype=np.int64)
    return np.where(mask, np.where(values > np.median(values[mask]), 1, 2), 0)


def _followed(
    maps: Sequence[_Thinned], codes: Sequence[Codes], fitted: int, nulls: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield for each slice that was not fitted how well the chosen factor tells 1 from 2."""
    pooled = RankedMaps(
        np.concatenate([own.values[i].ravel() for own in maps[:fitted]])
        for i in range(len(maps[0].values))
    )
    own = pooled.auroc(np.concatenate([c.ravel() for c in codes[:fitted]]), 2)[:, 0]
    for other, labels in zip(maps[fitted:], codes[fitted:], strict=True):
        row: dict[str, object] = {"slice": other.z}
        if not np.isfinite(own).all() or len(np.unique(labels[labels > 0])) < 2:
            yield row | {"note": "there is none in the rows that were extracted"}
            continue
        factor = int(np.argmax(own)) + 1
        frame = compare_factors(
            [other.values[factor - 1]],
            labels,
            2,
            chosen=[1],
            count=nulls,
            seed=seed,
        )
        judged = frame[frame["area"] == 1].iloc[0]
        row |= {"factor": factor, "auroc_fitted": float(own[factor - 1])}
        row |= {key: judged[key] for key in ("auroc", "null_99", "p")}
        yield row | {"above_null": judged["p"] <= LEVEL}
