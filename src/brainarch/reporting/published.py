"""What the two papers published of the volume of prasad2020, with sources.

It is shown for a dataset whose config declares ``source: prasad2020`` and for no other (DESIGN,
section 4): any other volume has its own truth.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The one source of data that published figures belong to.
SOURCE = "prasad2020"
#: Slices of the papers' splits (M).
SPLITS = {"train": (159,), "val": (209,), "test": (259,)}
NAN = float("nan")


@dataclass(frozen=True)
class Published:
    """A published number, or a statement that a number of ours can stand beside.

    Parameters
    ----------
    key : str
        Which number of ours it stands beside; see `brainarch.reporting.numbers`.
    quantity : str
        What it is.
    value : str
        As printed.
    source : str
        V, M, A or D (see DESIGN).
    basis : str
        What it was measured on, as far as is stated.
    number : float
        The value, shares between 0 and 1; NaN for a statement.
    """

    key: str
    quantity: str
    value: str
    source: str
    basis: str
    number: float = NAN


def _share(key: str, quantity: str, percent: float, source: str, basis: str) -> Published:
    return Published(key, quantity, f"{percent:g} %", source, basis, percent / 100)


_RECALLS = {"Ctx": 87, "HypoTh": 92, "Str": 91, "VP": 91, "WM": 86, "ZI": 84}
_CLASSIFIERS = {"linear_svm": "linear SVM", "rbf_svm": "RBF SVM", "logistic": "logistic regression"}
_BLOCK_ERRORS = {"cnn": 0.28, "inception": 0.56, "resnet18": 0.72}
#: Shares of a component's pixels in layers, as far as they are published (A), by component.
PROFILES = {
    1: {"L5": 0.32, "L6": 0.39},
    2: {"L4": 0.50},
    3: {"L2/3": 0.62},
    4: {"L5": 0.62},
}

FIGURES = (
    _share("accuracy/val", "accuracy, val patches", 89.77, "M, V", "1,000 patches per area"),
    _share("accuracy/test", "accuracy, test patches", 88.88, "M, V", "1,000 patches per area"),
    _share(
        "accuracy/authors",
        "accuracy, test patches, the authors' network trained or imported (orientation)",
        88.88,
        "M, V",
        "1,000 patches per area, not public",
    ),
    _share("accuracy/map", "accuracy at scale", 80, "V", "over 5 million patches; z=259 by M"),
    Published("pixels", "dense pixels of the test slice", "about 5.5 million", "M", "z=259", 5.5e6),
    *(
        _share(
            f"recall/{area}", f"accuracy by area, {area}", percent, "A", "test; overview picture"
        )
        for area, percent in _RECALLS.items()
    ),
    *(
        Published(
            f"above_head/{key}",
            f"{title} minus the CNN itself, accuracy",
            "about 0, in cases slightly above",
            "V",
            "Fig. 4",
        )
        for key, title in _CLASSIFIERS.items()
    ),
    Published(
        "v_measure/cnn",
        "V-measure of a Gaussian mixture on the CNN's representation",
        "far above the pretrained networks'",
        "V",
        "Fig. 4",
    ),
    *(
        Published(
            f"block_error/{key}", f"block error, {key}", f"{value:.2f}", "V", "not stated", value
        )
        for key, value in _BLOCK_ERRORS.items()
    ),
    Published(
        "raters",
        "human raters on six-area identification",
        "78 to 85 %",
        "D",
        "image size not stated, so not directly comparable",
    ),
    Published(
        "components",
        "what cortical components are",
        "1 and 3: L2/3 and L5/6, moderate density, no axons; 1 also L4 and L6 with axons; "
        "barreloids in 2",
        "M",
        "z=259",
    ),
    *(
        Published(
            f"profile/{component}/{layer}",
            f"share of component {component} in {layer}",
            f"{share:.2f}",
            "A",
            "z=259; bar chart",
            share,
        )
        for component, profile in PROFILES.items()
        for layer, share in profile.items()
    ),
    Published(
        "matches", "components found again on another slice", "found again on z=359", "A", "z=359"
    ),
)


def published_figures(source: str) -> tuple[Published, ...]:
    """Return what is published; nothing unless the data are those of the papers."""
    return FIGURES if source == SOURCE else ()


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
