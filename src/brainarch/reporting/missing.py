"""Which targets drop out of a run, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from brainarch.figures.catalogue import FIGURES
from brainarch.pipeline.facts import TRAINED, Facts

#: What goes with each thing that a dataset may lack; see `brainarch.pipeline.facts.Facts.lacks`.
TARGETS = {
    "labels": "factors selected for areas, subdivisions of an area",
    "discovery": "clusters, components and layer profiles",
    "layers": "agreement with layers, layer factors",
    "comparison": "held-out factors, components found again",
}


#: All of what a run leaves out whose network is trained already.
NEEDING_LABELS = (
    "everything that needs labels or training: accuracy, classifiers, clusters beside areas, "
    "factors selected for areas and layers, subdivisions, controls"
)


def missing_targets(facts: Facts, figures: Collection[str]) -> list[tuple[str, str]]:
    """Return what a run does not have and the reason, one pair each.

    Parameters
    ----------
    facts : Facts
        Of the run's config.
    figures : collection of str
        Names of the figures that there are.
    """
    if facts.is_trained:
        return [(NEEDING_LABELS, TRAINED), *_undrawn(facts, figures)]
    gone = [(target, facts.lacks[what]) for what, target in TARGETS.items() if what in facts.lacks]
    extracted = facts.config.extraction.slices
    if "layers" not in facts.lacks:
        gone += _without("layers", extracted, facts.layer_slices, "no layer labels for it")
    gone += _without("accuracy at scale", extracted, facts.labelled_slices, "it is not annotated")
    if not facts.config.training.permuted_control:
        gone.append(("control with permuted labels", "training.permuted_control is off"))
    if not facts.config.training.nonsense_control:
        gone.append(("control with nonsense areas", "training.nonsense_control is off"))
    gone += [(f"network {name}", why) for name, why in facts.absent.items()]
    return [*gone, *_undrawn(facts, figures)]


def _undrawn(facts: Facts, figures: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the figures that are not there, but those that only a run that trains can have."""
    for figure in FIGURES:
        lacking = [facts.lacks[need] for need in figure.needs if need in facts.lacks]
        if figure.name not in figures and TRAINED not in lacking:
            why = "; ".join(lacking) or "it was not drawn"
            yield f"figure {figure.name} ({figure.title})", why


def _without(
    what: str, slices: Collection[int], having: Collection[int], why: str
) -> list[tuple[str, str]]:
    bare = [str(z) for z in slices if z not in having]
    return [(f"{what} of slice {', '.join(bare)}", why)] if bare else []
