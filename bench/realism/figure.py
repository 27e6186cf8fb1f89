"""The picture of real beside phantom patches and their power spectra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brainarch.figures import style

#: Patches shown of each side.
SHOWN = 3


@style.styled
def realism_figure(
    real: Mapping[str, NDArray[np.uint8]],
    phantom: Mapping[str, NDArray[np.uint8]],
    table: pd.DataFrame,
    frequencies: Sequence[float],
) -> Figure:
    """Return the figure: a row an area, real patches, phantom patches, both spectra.

    Parameters
    ----------
    real, phantom : mappings of str to uint8 arrays (3, n, n)
        Patches by area.
    table : pandas.DataFrame
        The table of `comparison.comparison_table`.
    frequencies : sequence of float
        Frequencies of the spectra in cycles/px.
    """
    names = list(real)
    height = len(names) * 24.0 + 8.0
    figure = Figure(
        figsize=(style.DOUBLE_COLUMN_MM / style.MM_PER_INCH, height / style.MM_PER_INCH),
        layout="constrained",
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)  # type: ignore[call-arg,union-attr]  # constrained
    axes = figure.subplots(
        len(names), 2 * SHOWN + 1, squeeze=False, width_ratios=[1] * (2 * SHOWN) + [1.7]
    )
    for row, name in zip(axes, names, strict=True):
        for side, patches in enumerate((real[name], phantom[name])):
            for k in range(SHOWN):
                panel = row[side * SHOWN + k]
                panel.set_xticks([])
                panel.set_yticks([])
                if k < len(patches):
                    panel.imshow(patches[k], cmap="gray", vmin=0, vmax=255)
                else:
                    panel.set_axis_off()
        row[0].set_ylabel(name)
        chosen = table[(table.area == name) & table.quantity.str.startswith("log10 power")]
        row[-1].plot(frequencies, chosen.real, color=style.INK, marker="o", label="real")
        row[-1].plot(frequencies, chosen.phantom, color="#E69F00", marker="s", label="phantom")
        row[-1].fill_between(
            frequencies,
            chosen.real - chosen.tolerance,
            chosen.real + chosen.tolerance,
            color=style.FAINT,
            alpha=0.3,
            linewidth=0,
            label="tolerance",
        )
        row[-1].set_xscale("log")
        row[-1].set_ylabel("log10 power")
    for side, title in enumerate(("Real", "Phantom")):
        axes[0][side * SHOWN + SHOWN // 2].set_title(title)
    axes[0][-1].legend(loc="lower left")
    axes[-1][-1].set_xlabel("Frequency (cycles/px)")
    return figure
