"""What is planted, in micrometres, and where each number comes from.

Classes are the kinds of tissue that the phantom renders; areas and layers are what annotators name.
"""

from __future__ import annotations

from typing import Final

#: Codes of the annotated areas (the order of the real slice's labels); TRN has a truth code only.
AREA_CODES: Final = {"Ctx": 1, "Str": 2, "VP": 3, "ZI": 4, "HypoTh": 5, "WM": 6, "TRN": 7}
#: Area codes that annotators mark; TRN and the background are left out (A).
ANNOTATED_AREAS: Final = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")
LAYER_CODES: Final = {"L1": 1, "L2/3": 2, "L4": 3, "L5": 4, "L6": 5}
BARREL_CODES: Final = {"wall": 1, "hollow": 2}
MICROSTRUCTURE_CODES: Final = {"myelinated axon": 1, "vessel": 2, "cell body": 3}

#: Tissue classes in the order in which they follow one another along x; 0 is the background.
CLASSES: Final = (
    "background",
    "HypoTh",
    "ZI",
    "VP",
    "TRN",
    "internal capsule",
    "Str",
    "corpus callosum",
    "L6",
    "L5",
    "L4",
    "L2/3",
    "L1",
)
CLASS_INTERNAL_CAPSULE: Final = CLASSES.index("internal capsule")
CLASS_CORPUS_CALLOSUM: Final = CLASSES.index("corpus callosum")
CLASS_L4: Final = CLASSES.index("L4")
#: Area and layer code of each class.
CLASS_AREA: Final = (0, 5, 4, 3, 7, 6, 2, 6, 1, 1, 1, 1, 1)
CLASS_LAYER: Final = (0, 0, 0, 0, 0, 0, 0, 0, 5, 4, 3, 2, 1)

#: Thickness of the cortical layers in um, pia to white matter: subpial borders 128, 418, 588, 890,
#: 1154 um of the mouse C2 barrel column (Lefort et al., Neuron 61:301, 2009; L2 and L3, L5A and L5B
#: are joined).
LAYER_THICKNESS_UM: Final = {"L1": 128.0, "L2/3": 290.0, "L4": 170.0, "L5": 302.0, "L6": 264.0}
CORTEX_THICKNESS_UM: Final = sum(LAYER_THICKNESS_UM.values())

#: Neurons per layer of that column, 1921, 1796, 1316 and 1415, over the layers' thickness, relative
#: to their mean (Lefort et al. 2009). L1 is cell-sparse (ours: a quarter of the mean).
LAYER_RELATIVE_DENSITY: Final = {"L1": 0.25, "L2/3": 1.05, "L4": 1.68, "L5": 0.69, "L6": 0.85}

#: Spacing of the barrels in um; mouse barrels are 100 to 400 um wide (Woolsey & Van der Loos, Brain
#: Res. 17:205, 1970; UBERON:0010415).
BARREL_SPACING_UM: Final = 260.0
#: Half the distance between two hollows, in um (ours): walls, with the septum, are 80 um wide.
BARREL_WALL_UM: Final = 40.0
#: Cell density of walls over hollows; 1.5 to 2.0 (Feldman & Peters, Brain Res. 77:55, 1974).
BARREL_WALL_TO_HOLLOW: Final = 1.7

SOURCES: Final = {
    "layer thickness": "Lefort et al., Neuron 61:301-316 (2009), doi:10.1016/j.neuron.2008.12.020",
    "relative cell density of the layers": "Lefort et al. (2009); L1: ours",
    "barrel width": "Woolsey & Van der Loos, Brain Res. 17:205-242 (1970); UBERON:0010415",
    "barrel wall": "Feldman & Peters, Brain Res. 77:55-76 (1974): walls 1.5-2.0 x hollows",
    "areas, grey values, spectra, cells, vessels, myelin": (
        "Prasad et al., Scientific Data 7:358 (2020), slice z=159 and its annotated microstructure"
    ),
}


def truth_name(kind: str, z: int) -> str:
    """Return the file name of a slice's truth: areas, barrels or microstructure."""
    return f"{kind}_z{z:04d}.tif"
