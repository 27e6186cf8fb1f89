"""The blocks that the network's errors on sampled patches ask for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from brainarch.errors import InputError
from brainarch.statistics.blocks import Blocks, BlockSide, choose_blocks
from brainarch.statistics.bootstrap import index_blocks
from brainarch.tables import read_table


def read_blocks(side: BlockSide, predictions: Path) -> Blocks:
    """Return the side of the blocks that every number of a network shares.

    Parameters
    ----------
    side : int or "auto"
        As the config says.
    predictions : Path
        The network's predictions of the test patches.

    Raises
    ------
    InputError
        If that is no prediction table.
    """
    if side != "auto":
        return Blocks(side, float("nan"))
    table = read_table(predictions)
    missing = [name for name in ("z", "y", "x", "area", "predicted") if name not in table.columns]
    if missing:
        raise InputError(
            f"{predictions}: not a prediction table, it has no column {missing[0]}; wanted one of "
            "`brainarch evaluate`"
        )
    return error_blocks(side, table, (table["area"] == table["predicted"]))


def error_blocks(side: BlockSide, patches: pd.DataFrame, right: pd.Series[bool]) -> Blocks:
    """Return the same for a patch table and whether each patch was named rightly."""
    area, _ = index_blocks(pd.factorize(patches["area"], sort=True)[0])
    places = (patches[name].to_numpy() for name in ("z", "y", "x"))
    return choose_blocks(side, right.to_numpy(), area, *places)
