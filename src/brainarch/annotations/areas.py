"""From source codes to areas, and what there is of each area on a slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from brainarch.annotations.holes import close_holes, count_holes
from brainarch.errors import InputError
from brainarch.geometry import patch_share
from brainarch.statistics.packing import pack_patches

#: Unknown codes that an error names; the rest are counted.
NAMED_CODES = 12
#: Meaning of the columns of the area table.
AREA_COLUMNS = {
    "slice": "slice number",
    "area": "name of the area",
    "pixels": "labelled pixels of the area on the slice",
    "um2": "area of these pixels (square micrometer)",
    "holes": "holes in the area below annotations.hole_um2, closed where distances are measured",
    "hole_pixels": "pixels of these holes; they are no labelled pixels",
    "interior_centres": "pixels whose whole 128 x 128 patch lies inside the area",
    "share_centres": "pixels of the area whose patch lies inside it at least by the asked share",
    "independent_patches": "patches at the asked share that share no pixel (greedy packing)",
    "rim_pixels": "pixels of the drawn image in thin rims between two other codes, as smooth edges "
    "leave them",
}


def number_classes(
    codes: Mapping[str, Collection[int | str]], ignored: Collection[int | str]
) -> tuple[dict[str, list[int]], list[int], dict[str, int]]:
    """Give classes of drawn shapes the codes that label images have.

    Parameters
    ----------
    codes : mapping of str to collection of int or str
        Codes of each area in label images, or its classes.
    ignored : collection of int or str
        Codes and classes that are left out.

    Returns
    -------
    codes : dict of str to list of int
        Codes of each area.
    ignored : list of int
    classes : dict of str to int
        Code of each class, from 1; 0 for those that are left out.
    """
    classes: dict[str, int] = {name: 0 for name in ignored if isinstance(name, str)}
    numbered: dict[str, list[int]] = {}
    for area, own in codes.items():
        for code in own:
            if isinstance(code, str):
                classes[code] = 1 + max(classes.values(), default=0)
        numbered[area] = [classes[code] if isinstance(code, str) else code for code in own]
    left_out = [code for code in ignored if isinstance(code, int)]
    return numbered, left_out if 0 in left_out or not classes else [0, *left_out], classes


def check_codes(codes: Mapping[str, Collection[int]], ignored: Collection[int]) -> None:
    """Check that every source code means one thing.

    Parameters
    ----------
    codes : mapping of str to collection of int
        Source codes of each area.
    ignored : collection of int
        Source codes that are left out.

    Raises
    ------
    InputError
        If an area has no code, or a code stands for two things.
    """
    owner: dict[int, str] = {}
    for name, own in codes.items():
        if not own:
            raise InputError(f"area {name}: it has no code; give at least one")
        for code in own:
            if code in owner:
                raise InputError(f"code {code}: stands for {owner[code]} and {name}; choose one")
            if code in ignored:
                raise InputError(f"code {code}: stands for {name} and is ignored; choose one")
            owner[code] = name


def recode(
    image: NDArray[np.integer],
    codes: Sequence[Collection[int]],
    ignored: Collection[int],
    source: str,
) -> NDArray[np.uint8]:
    """Turn source codes into area codes 1 ... n, ignored ones into 0.

    Parameters
    ----------
    image : ndarray of int, shape (rows, columns)
        Source codes.
    codes : sequence of collection of int
        Source codes of area 1, 2 ... n.
    ignored : collection of int
        Source codes that are left out.
    source : str
        What to call the image in an error.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    InputError
        If the image has other codes, or no pixel of any area.
    """
    present, counts = np.unique(image, return_counts=True)
    target = {code: area for area, own in enumerate(codes, start=1) for code in own}
    unknown = [
        f"{code} ({count} px)"
        for code, count in zip(present.tolist(), counts.tolist(), strict=True)
        if code not in target and code not in ignored
    ]
    if unknown:
        rest = len(unknown) - NAMED_CODES
        more = f" and {rest} more (are these grey values?)" if rest > 0 else ""
        raise InputError(
            f"{source}: the legend has no area for code {', '.join(unknown[:NAMED_CODES])}{more}; "
            "add it to an area or ignore it"
        )
    table = np.array([target.get(code, 0) for code in present.tolist()], dtype=np.uint8)
    if not table.any():
        raise InputError(f"{source}: no pixel belongs to an area; check codes and ignored codes")
    return table[np.searchsorted(present, image)]


def area_row(
    labels: NDArray[np.uint8], code: int, share: float, pixel_um: float, hole_px: int
) -> dict[str, int | float]:
    """Return what there is of one area on a slice.

    Parameters
    ----------
    labels : ndarray of uint8, shape (rows, columns)
        Area codes.
    code : int
        Code of the area.
    share : float
        Least share of a patch inside the area (0 to 1).
    pixel_um : float
        Side of a pixel in micrometer.
    hole_px : int
        Largest hole that is closed, in pixels.

    Returns
    -------
    dict
        The columns of `AREA_COLUMNS` from ``pixels`` to ``independent_patches``.
    """
    mask = labels == code
    shares = patch_share(close_holes(mask, hole_px))
    inside = mask & (shares >= share)
    holes, hole_pixels = count_holes(mask, hole_px)
    pixels = int(mask.sum())
    return {
        "pixels": pixels,
        "um2": round(pixels * pixel_um**2, 3),
        "holes": holes,
        "hole_pixels": hole_pixels,
        "interior_centres": int((mask & (shares >= 1)).sum()),
        "share_centres": int(inside.sum()),
        "independent_patches": len(pack_patches(inside)),
    }
