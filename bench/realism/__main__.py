r"""Compare a phantom with a real slice: statistics, spectra, cells, classifiers.

    python -m bench.realism --slice z159.tif --labels labels_z159.tif \
        --phantom results/phantom/source --z 4,104 --output realism

Run from the top folder of the repository. Written: ``realism.csv`` (every quantity of both with its
tolerance), ``realism.json`` (what classifiers make of the two), ``realism.png`` and ``.pdf``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from brainarch.errors import InputError
from brainarch.phantom import anatomy

from . import comparison, files


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare; a user's mistake ends in one line and exit status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.realism",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--slice", type=Path, required=True, help="the real slice, an 8-bit TIFF")
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        help="its areas: 1 Ctx, 2 Str, 3 VP, 4 ZI, 5 HypoTh, 6 WM, 0 elsewhere",
    )
    parser.add_argument(
        "--phantom", type=Path, required=True, help="folder that `brainarch phantom` wrote"
    )
    parser.add_argument(
        "--z", required=True, help="annotated slices of the phantom, separated by commas"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--microstructure",
        type=Path,
        help="folder of annotated pixel masks (masks_ctx.npz ...); without it the published "
        "slice's counts are used",
    )
    parser.add_argument(
        "--network", type=Path, help="network trained on the phantom, to try on the real slice"
    )
    parser.add_argument("--voxel-um", type=float, default=1.17, help="edge of the real pixel in um")
    parser.add_argument("--seed", type=int, default=0, help="for the choice of patches")
    given = parser.parse_args(arguments)
    try:
        slices = [int(z) for z in given.z.split(",")]
    except ValueError:
        parser.error(f"--z {given.z}: wanted whole numbers, e.g. 4,104")
    try:
        real = files.read_real(given.slice, given.labels, given.voxel_um)
        made, structures = files.read_phantom(given.phantom, slices)
        if given.microstructure is None:
            known = {name: comparison.reference_densities(name) for name in anatomy.ANNOTATED_AREAS}
        else:
            known = files.read_annotated_densities(given.microstructure, given.voxel_um)
        files.write_realism(
            real, made, structures, known, given.network, slices, given.seed, given.output
        )
    except InputError as error:
        print(f"realism: error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
