"""Which targets drop out of a run, and why."""

from __future__ import annotations

from collections.abc import Sequence

#: Figures that a run may have, in the order of the report.
FIGURES = {
    "V1": "overview",
    "V2": "annotated slice and patches",
    "V3": "accuracy at scale",
    "V4": "classifiers",
    "V5": "Gram matrices and PCA",
    "V6": "clusters inside one area",
    "M1": "factorisation",
    "M2": "factors and components",
}


def missing_targets(
    *,
    discovery: bool,
    layers: Sequence[int] | None,
    extracted: Sequence[int],
    annotated: Sequence[int],
    permuted_control: bool,
    figures: Sequence[str],
) -> list[tuple[str, str]]:
    """Return what a run does not have and the reason, one pair each.

    Parameters
    ----------
    discovery : bool
        Whether the config names an area to subdivide.
    layers : sequence of int or None
        Slices with layer labels; None if the config has no layers.
    extracted, annotated : sequence of int
        Slices extracted densely (the first is fitted), and annotated ones.
    permuted_control : bool
    figures : sequence of str
        Names of the figures that there are; the part before the first underscore counts.
    """
    gone = []
    if not discovery:
        gone.append(
            ("clusters, components and layer profiles", "the config names no area to subdivide")
        )
    if layers is None:
        reason = "the config has no layers: they are the user's input"
        gone.append(("agreement with layers, layer factors", reason))
    else:
        bare = [z for z in extracted if z not in layers]
        if bare:
            named = ", ".join(map(str, bare))
            gone.append((f"layers of slice {named}", "no layer labels for it"))
    if len(extracted) < 2:
        reason = "only one slice is extracted (extraction.slices)"
        gone.append(("held-out factors, components found again", reason))
    plain = [z for z in extracted if z not in annotated]
    if plain:
        named = ", ".join(map(str, plain))
        gone.append((f"accuracy at scale of slice {named}", "it is not annotated"))
    if not permuted_control:
        gone.append(("control with permuted labels", "training.permuted_control is off"))
    have = {name.split("_")[0] for name in figures}
    for name, what in FIGURES.items():
        if name not in have:
            gone.append((f"figure {name} ({what})", "its inputs are not part of this run"))
    return gone
