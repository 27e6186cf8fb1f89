"""Figures published for the volume of prasad2020, with their sources.

They are shown for a dataset whose config declares ``source: prasad2020`` and for no other (DESIGN,
section 4): any other volume has its own truth.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The one source of data that published figures belong to.
SOURCE = "prasad2020"
#: Slices of the papers' splits (M).
SPLITS = {"train": (159,), "val": (209,), "test": (259,)}


@dataclass(frozen=True)
class Published:
    """A published figure.

    Parameters
    ----------
    key : str
        Which number of ours it stands beside; see `brainarch.reporting.numbers`.
    value : str
        As printed.
    source : str
        V, M, A or D (see DESIGN), and what it was measured on.
    """

    key: str
    value: str
    source: str


_FIGURES = (
    Published("accuracy/val", "89.77 %", "M, V; 1,000 patches per area"),
    Published("accuracy/test", "88.88 %", "M, V; 1,000 patches per area"),
    Published("accuracy/map", "80 %", "V; more than 5 million patches of a slice (z=259 by M)"),
    Published("recall/Ctx", "87 %", "A (overview picture)"),
    Published("recall/HypoTh", "92 %", "A (overview picture)"),
    Published("recall/Str", "91 %", "A (overview picture)"),
    Published("recall/VP", "91 %", "A (overview picture)"),
    Published("recall/WM", "86 %", "A (overview picture)"),
    Published("recall/ZI", "84 %", "A (overview picture)"),
    Published("classifier/logistic", "about the CNN's, in cases slightly above", "V Fig. 4"),
    Published("classifier/linear_svm", "about the CNN's, in cases slightly above", "V Fig. 4"),
    Published("classifier/rbf_svm", "about the CNN's, in cases slightly above", "V Fig. 4"),
    Published("v_measure/cnn", "far above the pretrained networks'", "V Fig. 4"),
    Published("block_error/cnn", "0.28 (Inception 0.56, ResNet18 0.72)", "V"),
)

#: What the papers say that no single number of ours stands beside.
STATEMENTS = (
    Published(
        "raters",
        "human raters on six-area identification: 78 to 85 %",
        "D; image size not stated, so not directly comparable",
    ),
    Published(
        "components",
        "cortical components 1 and 3: L2/3 and L5/6, moderate density, no axons; 1 also L4 and L6 "
        "with axons; barreloids in 2",
        "M",
    ),
    Published(
        "profiles",
        "layer profiles: 1: L5 0.32, L6 0.39; 2: L4 0.50; 3: L2/3 0.62; 4: L5 0.62",
        "A (bar chart); z=259, found again on z=359",
    ),
)


def published_figures(source: str) -> dict[str, Published]:
    """Return the published figures by key; none unless the data are those of the papers."""
    return {figure.key: figure for figure in _FIGURES} if source == SOURCE else {}


def published_statements(source: str) -> tuple[Published, ...]:
    """Return what else the papers say; nothing unless the data are theirs."""
    return STATEMENTS if source == SOURCE else ()


def comparison_note(source: str, splits: dict[str, tuple[int, ...]]) -> str | None:
    """Return what a comparison with the papers is worth; None where there is none.

    Parameters
    ----------
    source : str
        Of the data.
    splits : dict of str to tuple of int
        Slices of train, val and test.
    """
    if source != SOURCE:
        return None
    if splits == SPLITS:
        return (
            "The splits are the papers' slices. With labels that are not the authors' own, the "
            "published figures are no more than orientation."
        )
    return (
        "The splits are not the papers' slices (train 159, val 209, test 259): published figures "
        "stand here for orientation; this is not a reproduction."
    )
