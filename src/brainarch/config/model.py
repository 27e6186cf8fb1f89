"""The config: one typed model, from which comments, JSON schema and the keys' table are made.

Defaults are the papers' values where they state one. The letter in brackets is the source: V and M
are the papers (2019, 2020), A the authors' public code, D the data paper, ours our choice.
"""

from __future__ import annotations

import math
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    WithJsonSchema,
    field_serializer,
    model_validator,
)

from brainarch.embedding.names import CNN, DENSE, LIBRARIES, NETWORKS, REPEAT, is_repeat
from brainarch.errors import InputError
from brainarch.geometry import PATCH, UNITS, WINDOW
from brainarch.network.header import read_header
from brainarch.volume.kinds import (
    TIFF_SUFFIXES,
    Axes,
    has_shapes,
    has_slice_field,
    in_zarr,
    is_label_volume,
    is_url,
)
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.units import Voxel, are_equal, voxel_sides

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=64)]
Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
SliceIndex = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
#: Slices that a message names; more are counted.
NAMED_SLICES = 8
#: Several slices in one text: the first, the one after the last, and the step.
RANGE = re.compile(r"(\d+):(\d+)(?::([1-9]\d*))?")
Count = Annotated[int, Field(ge=1)]

ChannelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$")]


def _expanded(path: str) -> str:
    """Return a path with ``~`` and ``$NAME`` as the shell would have them."""
    found = os.path.expandvars(path)
    if found.startswith("~"):
        found = str(Path(found).expanduser())
    unset = re.search(r"(?:^|(?<=/))(\$\w+|\$\{\w+\})(?=/|$)", found)
    if unset and not Path(found[: unset.end()]).exists():
        raise ValueError(f"{unset[0]} stands for nothing; set this variable or write the path out")
    return found


#: A path of the user's, relative to the folder of the run.
UserPath = Annotated[str, AfterValidator(_expanded)]


def _dense_network(name: str) -> str:
    if name not in DENSE and not is_repeat(name):
        raise ValueError(
            f"no network of whole slices; there are {', '.join(DENSE)}, and {REPEAT}1 ... with "
            "training.repeats"
        )
    return name


def _model(name: str) -> str:
    if not re.fullmatch(rf"({'|'.join(LIBRARIES)})/[\w.-]+|[\w.]+:\w+", name):
        raise ValueError("wanted torchvision/NAME, timm/NAME, or module:function of your own")
    return name


def _sha256(digits: str) -> str:
    if not re.fullmatch("[0-9A-Fa-f]{64}", digits):
        raise ValueError("wanted the 64 digits that `sha256sum` prints")
    return digits


def _once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a network stands twice")
    return names


def _written_out(value: Any) -> Any:
    """Return the slices that a range such as 100:220:10 stands for; the last is left out."""
    if not isinstance(value, str):
        return value
    found = RANGE.fullmatch(value.strip())
    slices = list(range(int(found[1]), int(found[2]), int(found[3] or 1))) if found else []
    if not slices:
        raise ValueError(
            "wanted a list such as [104, 204], a range such as '100:220:10' (220 is left out), or "
            "all, where volume.shape says how many there are"
        )
    return slices


#: Slices, as a list or as a range.
SliceList = Annotated[
    list[SliceIndex],
    BeforeValidator(_written_out),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "integer", "minimum": 0}},
                {"type": "string", "pattern": f"^({RANGE.pattern}|all)$"},
            ]
        }
    ),
]


def _unlike(values: list[float]) -> list[float]:
    if len(set(values)) < len(values):
        raise ValueError("a value stands twice")
    return values


def _in_micrometres(voxel: Voxel) -> Voxel:
    try:
        z, y, x = voxel_sides(voxel)
    except InputError as error:
        raise ValueError(str(error)) from None
    # slices may be far apart, pixels of a tissue volume are not
    size = min(z, y, x) if min(z, y, x) < 0.01 else x
    for unit, low, high, factor in (("millimetres", 0, 0.01, 1e3), ("nanometres", 500, 1e99, 1e-3)):
        if low < size < high:
            raise ValueError(
                f"{size:g} um is no voxel of a tissue volume; in {unit} it would be "
                f"{size * factor:g} um, say that"
            )
    return voxel


#: A number, or three; which is told before either is checked, so that one mistake is one phrase.
VoxelSize = Annotated[
    Annotated[float, Field(gt=0), Tag("number")]
    | Annotated[tuple[float, float, float], Tag("three numbers")],
    Discriminator(lambda voxel: "three numbers" if isinstance(voxel, list | tuple) else "number"),
    AfterValidator(_in_micrometres),
]
#: A pixel value of label images, or a class of drawn shapes.
Code = Annotated[
    Annotated[int, Field(ge=0), Tag("code")] | Annotated[str, Field(min_length=1), Tag("class")],
    Discriminator(lambda code: "class" if isinstance(code, str) else "code"),
]
Variance = Annotated[float, Field(ge=0)]
DenseName = Annotated[str, AfterValidator(_dense_network)]
Model = Annotated[str, AfterValidator(_model)]
Sha256 = Annotated[str, AfterValidator(_sha256)]

LABEL_PATTERN_HELP = (
    "(TIFF, PNG, NRRD, GeoJSON) with {z} or {z:04d} standing for the slice, or one label volume "
    "(NRRD, OME-Zarr, multi-page TIFF, GeoJSON of a stack)"
)

#: Keys that annotations and layers have in common.
LABEL_VOLUME_HELP = (
    "number of the first slice of a label volume; null is volume.first_slice, or one file a slice"
)
AXES_HELP = (
    "order of the axes in the label files, the one that runs fastest last: zyx (rows of pixels, as "
    "ITK-SNAP, Slicer and every TIFF and PNG have them), zxy (columns x rows, or "
    "shapes that say y before x), xyz (what nrrd.write(name, array) makes of slices, rows and "
    "columns), xzy, yxz or yzx; null is zyx, and an NRRD file whose sizes fit another order too is "
    "refused"
)

#: Borders of an area that are not another area.
OUTSIDE = ("outside", "outside-left", "outside-right", "outside-top", "outside-bottom")


class Section(BaseModel):
    """A part of the config: unknown keys are errors, values cannot change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class VolumeConfig(Section):
    """The image volume."""

    path: UserPath | None = Field(
        default=None,
        description="TIFF input: a folder of slices, a quoted glob pattern, a pattern with {z} or "
        "{z:04d} for the slice number (beside it, * and ? stand for what else differs), or one "
        "multi-page TIFF; or an OME-Zarr image (*.zarr), used "
        "where it lies, or fetched where it is an address, s3://bucket/brain.ome.zarr; null only "
        "when source is phantom",
    )
    shape: tuple[Count, Count, Count] = Field(
        description="slices, rows, columns of the volume in voxels; checked against the data"
    )
    dtype: Literal["uint8", "uint16"] = Field(
        default="uint8",
        description="dtype of the grey values; checked against the data, or what window makes",
    )
    window: tuple[float, float] | None = Field(
        default=None,
        description="grey values of the TIFF files that become black and white (the range of "
        "dtype); needed for float data, or to make uint8 of uint16; values outside are clipped and "
        "counted; null takes grey values as they are",
    )
    nan: float | None = Field(
        default=None,
        description="grey value that NaN pixels take before the window, for example outside the "
        "circle of a reconstruction; counted in slices.csv; null refuses them",
    )
    voxel_um: VoxelSize = Field(
        description="edge of the voxel in micrometres (D: 1.17), or [z, y, x] where slices are "
        "further apart than pixels, for example [5, 1.3, 1.3]; pixels must be square, z serves "
        "distances between slices only; checked against the metadata of OME-TIFF, ImageJ and "
        "OME-Zarr",
    )
    resample_um: float | None = Field(
        default=None,
        gt=0,
        description="edge of a pixel in micrometres that slices are resampled to as they are "
        "converted, for example 1.17 for a network trained on the published volume; slices keep "
        "numbers and distance, labels are resampled alike; null leaves pixels as they are",
    )
    patch_um: float | None = Field(
        default=None,
        gt=0,
        description=f"edge of a patch of {PATCH} pixels in micrometres (V: 150), another way to "
        f"say resample_um: patch_um / {PATCH}; null: {PATCH} pixels whatever they measure",
    )
    compression: Literal["zstd", "none"] = Field(
        default="zstd",
        description="how the converted volume is stored: zstd, or none, which is larger and "
        "quicker to convert",
    )
    first_slice: int = Field(
        default=0,
        ge=0,
        description="index of the first TIFF slice as its file name counts; "
        "slice indices below count the same way",
    )
    file_step: Count = Field(
        default=1,
        description="by how much the numbers of the TIFF files go up from slice to slice: with 20, "
        "000000.tif, 000020.tif and 000040.tif are slices 0, 1 and 2",
    )

    @model_validator(mode="after")
    def _one_size(self) -> VolumeConfig:
        if self.resample_um is not None and self.patch_um is not None:
            raise ValueError("patch_um says the same as resample_um; give one of them")
        try:
            _ = self.resampling
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def sides_um(self) -> tuple[float, float, float]:
        """Distance of slices and sides of a pixel of the files, (z, y, x), in micrometres."""
        return voxel_sides(self.voxel_um)

    @property
    def resampling(self) -> Resampling | None:
        """How slices are resampled, if they are."""
        pixel_um = self.patch_um / PATCH if self.patch_um is not None else self.resample_um
        if pixel_um is None:
            return None
        return Resampling(*self.shape[1:], source_um=self.sides_um[2], pixel_um=pixel_um)

    @property
    def pixel_um(self) -> float:
        """Edge of a pixel of the converted volume in micrometres."""
        return self.sides_um[2] if self.resampling is None else self.resampling.pixel_um

    @property
    def stored_shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns of the converted volume."""
        return self.shape if self.resampling is None else (self.shape[0], *self.resampling.shape)


class AreaConfig(Section):
    """One brain area."""

    name: Name = Field(description="short name: letters, digits, _ and -")
    title: str = Field(min_length=1, description="name shown in figures and the report")
    codes: list[Code] = Field(
        min_length=1,
        description="pixel values of this area in the label images, or in GeoJSON the classes of "
        "its shapes, for example [Cortex]",
    )
    colour: Colour | None = Field(
        default=None, description="#rrggbb; null takes the next colour of the palette"
    )
    share: Share = Field(
        default=1.0,
        description="least share of a training patch that lies inside the area "
        "(V: 1, wholly inside); lower it for an area too thin for whole patches",
    )


class AnnotationConfig(Section):
    """The annotated slices."""

    path: UserPath | None = Field(
        default=None,
        description=f"label image of a slice, {LABEL_PATTERN_HELP}; "
        "null only when source is phantom",
    )
    slices: list[SliceIndex] = Field(min_length=1, description="annotated slices")
    ignore: list[Code] = Field(
        default=[0],
        description="pixel values, or in GeoJSON classes, that are left out (background, TRN)",
    )
    first_slice: SliceIndex | None = Field(default=None, description=LABEL_VOLUME_HELP)
    axes: Axes | None = Field(default=None, description=AXES_HELP)
    hole_um2: float = Field(
        default=2000,
        ge=0,
        description="largest hole of an area in square micrometres (a vessel cut out, a speck) "
        "that is closed where distances to borders are measured, never where pixels are counted "
        "(ours); 0 closes none",
    )


class LayerConfig(Section):
    """One cortical layer."""

    name: Name = Field(description="short name: letters, digits, _ and -")
    title: str = Field(min_length=1, description="name shown in figures and the report")
    codes: list[Code] = Field(
        min_length=1,
        description="pixel values of this layer in the label images, or in GeoJSON the classes of "
        "its shapes",
    )


class LayersConfig(Section):
    """Layers inside one area, from the upper border down."""

    path: UserPath | None = Field(
        default=None,
        description=f"layer label image of a slice, {LABEL_PATTERN_HELP}; "
        "null only when source is phantom",
    )
    slices: list[SliceIndex] = Field(min_length=1, description="slices with layer labels")
    ignore: list[Code] = Field(
        default=[0], description="pixel values, or in GeoJSON classes, that are left out"
    )
    first_slice: SliceIndex | None = Field(default=None, description=LABEL_VOLUME_HELP)
    axes: Axes | None = Field(default=None, description=AXES_HELP)
    names: list[LayerConfig] = Field(min_length=2, description="the layers, upper border first")


class DownloadConfig(Section):
    """What is fetched from BossDB, by name."""

    host: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = Field(
        default="https://api.bossdb.io", description="address of the BossDB server (D)"
    )
    image: ChannelName | None = Field(
        default=None,
        description="channel of the grey values as collection/experiment/channel, fetched slice by "
        "slice into the folder volume.path (D: prasad/prasad2020/image); null: the TIFF files at "
        "volume.path are yours, for example those of figshare",
    )
    areas: ChannelName | None = Field(
        default=None,
        description="channel of the area labels, fetched to annotations.path (D: "
        "prasad/prasad2020/region_of_interest, drawn on slices 109, 159, 209, 259, 309, 359, 409, "
        "410 and 460, or prasad/prasad2020/roi_interpolated between them); null: the label images "
        "are yours",
    )


class SliceSplits(Section):
    """Train, validation and test on different slices (M)."""

    by: Literal["slices"] = Field(description="slices: a split is one or more whole slices")
    train: list[SliceIndex] = Field(min_length=1, description="training slices (M: z=159)")
    val: list[SliceIndex] = Field(min_length=1, description="validation slices (M: z=209)")
    test: list[SliceIndex] = Field(min_length=1, description="test slices (M: z=259)")


class BlockSplits(Section):
    """Train, validation and test on different parts of one annotated slice."""

    by: Literal["blocks"] = Field(description="blocks: the splits are parts of one slice")
    slice: SliceIndex = Field(description="the annotated slice")
    assignments: Count = Field(
        default=4, description="how many assignments of parts to splits are tried, a network each"
    )
    min_independent: Count = Field(
        default=3,
        description="least number of non-overlapping patches that an area has in each split",
    )


class SamplingConfig(Section):
    """Which patches are drawn."""

    train_patches: Count = Field(default=2000, description="training patches per area (V: 2,000)")
    eval_patches: Count = Field(
        default=1000, description="validation and test patches per area, each (V: 1,000)"
    )
    min_gap_um: float = Field(
        default=50.0, ge=0, description="least distance between splits in micrometres (V: 50)"
    )


#: What a preset says of the keys that are its own and left out: the papers' way, and ours.
PRESETS: dict[str, dict[str, Any]] = {
    "papers": {"learning_rate": 1e-4, "epochs": 50, "batch_size": 32},
    "robust": {
        "learning_rate": 5e-4,
        "steps": 1200,
        "crops": 18,
        "orientation": None,
        "changes": True,
        "outside": False,
        "start": "scratch",
    },
}
#: What robust says instead where training starts from what was learnt without labels.
GENTLE: dict[str, Any] = {"learning_rate": 5e-5, "steps": 100}


class TrainingConfig(Section):
    """How the network is trained."""

    preset: Literal["robust", "papers"] = Field(
        default="robust",
        description="robust (ours): crops whose windows share their computation, every labelled "
        "pixel of the training slices may be a centre, areas balanced, grey values changed; "
        "papers (V, A): a table of patches that lie wholly inside their area, nothing changed. It "
        "fills the keys below that are left out; those of the other preset are null",
    )
    learning_rate: float = Field(
        gt=0,
        description="of Adam (papers, V: 1e-4; robust: 5e-4, with warm-up and decay; 5e-5 "
        "where start is unlabelled)",
    )
    dropout: float = Field(
        default=0.3, ge=0, lt=1, description="after the fully connected layers (A: 0.3)"
    )
    steps: Count | None = Field(
        default=None,
        description="robust: gradient steps; 1200 are 1.4 million windows, four times as many were "
        "worth 4 points on another slice of a real volume (ours)",
    )
    crops: Count | None = Field(
        default=None, description="robust: crops per step, 64 windows each (ours)"
    )
    orientation: Literal["fixed", "mirrored", "any"] | None = Field(
        default=None,
        description="robust: fixed, mirrored (left-right, up-down) or any (right-angle turns as "
        "well). Orientation is information where whole slices are annotated, and is learnt by "
        "heart where little is: null is fixed with splits by slices and any with splits by blocks",
    )
    changes: bool | None = Field(
        default=None,
        description="robust: change contrast, brightness, gamma, noise and grey levels of crops",
    )
    outside: bool | None = Field(
        default=None,
        description="robust: learn beside the areas what is no tissue, from pixels without label "
        "that are darker than tissue; maps then say where they see none. It is no area: accuracies "
        "do not count it. For volumes that end inside their slices (ours)",
    )
    start: Literal["scratch", "unlabelled"] | None = Field(
        default=None,
        description="robust: what training starts from: scratch, or the network trained without "
        "labels (section unlabelled) with its last layer fitted to the training patches, which "
        "then learns a little more: worth it where little tissue is annotated (ours)",
    )
    epochs: Count | None = Field(
        default=None, description="papers: passes over the training patches (ours)"
    )
    batch_size: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="papers: patches per gradient step (ours)"
    )
    precision: Literal["auto", "float32"] = Field(
        default="auto",
        description="arithmetic of preset robust and of training without labels: auto takes "
        "bfloat16, about twice as fast, where the GPU or the processor (AMX) has matrix units for "
        "it; float32 everywhere. Numbers from the two differ as those of two seeds do; preset "
        "papers always takes float32 (ours)",
    )
    repeats: Count = Field(
        default=1,
        description="how often the network is trained, each time from another seed: main, "
        f"{REPEAT}1, {REPEAT}2 ..., so that numbers get a mean and a spread (ours)",
    )
    permuted_control: bool = Field(
        default=True,
        description="also train on permuted labels, a check of the code that must end at chance",
    )
    permuted_share: Share = Field(
        default=0.1,
        description="how long that control trains, as a share of the steps or epochs (ours)",
    )

    nonsense_control: bool = Field(
        default=False,
        description="also train on nonsense areas: one homogeneous area cut into parts that are "
        "the same in every slice. Above chance, position or an artefact is read, not tissue",
    )
    nonsense_area: Name | None = Field(
        default=None,
        description="the area that is cut; null: the first that is not subdivided by discovery",
    )
    nonsense_share: Share = Field(
        default=0.25,
        description="how long that control trains, as a share of the steps or epochs (ours)",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        preset = content.get("preset", cls.model_fields["preset"].default)
        given = {key: value for key, value in content.items() if value is not None}
        gentle = GENTLE if preset == "robust" and given.get("start") == "unlabelled" else {}
        return {**PRESETS.get(str(preset), {}), **gentle, **given}

    @model_validator(mode="after")
    def _own_keys(self) -> TrainingConfig:
        other = "papers" if self.preset == "robust" else "robust"
        for key in PRESETS[other].keys() - PRESETS[self.preset].keys():
            if getattr(self, key) is not None:
                raise ValueError(
                    f"{key} belongs to preset {other}; leave it out or say that preset"
                )
        return self


class ExtractionConfig(Section):
    """The dense representation of whole slices."""

    slices: SliceList = Field(
        min_length=1,
        description="slices to extract: a list, a range such as '100:220:10' (220 is left out), or "
        "all; the first is analysed and fitted, the others test whether its findings hold "
        "(M: z=259, then z=359)",
    )
    networks: Annotated[list[DenseName], AfterValidator(_once)] = Field(
        default=[CNN],
        min_length=1,
        description="networks that represent them: the trained CNN, which figures and page are "
        "about, and beside it the same trained without labels (unlabelled), before training "
        f"(untrained), or from another seed ({REPEAT}1 ... with training.repeats). Cube, factors, "
        "coefficients, clusters and components of each are made alike, an area map where it names "
        "areas",
    )
    stride: Literal[1, 2, 4, 8, 16] = Field(
        default=1, description="pixels between neighbouring patches: 1, 2, 4, 8 or 16 (M: 1)"
    )
    where: Literal["labelled", "tissue", "all"] = Field(
        default="labelled",
        description="which pixels: labelled (A), tissue (found by threshold), or all",
    )
    rows: tuple[SliceIndex, Count] | None = Field(
        default=None,
        description="only rows [first, last + 1) of the converted volume; null is the whole slice",
    )
    precision: Literal["float32", "bfloat16", "tf32"] = Field(
        default="float32",
        description="arithmetic: float32 is exact; bfloat16 and, on a GPU, tf32 are faster, and "
        "their measured error is stored with the result",
    )
    storage: Literal["float32", "float16"] = Field(
        default="float32", description="dtype on disk; float16 rounds to 3 digits"
    )
    memory_mb: Annotated[int, Field(ge=256)] = Field(
        default=1500, description="memory that extraction may use, in MB"
    )
    proof_windows: Annotated[int, Field(ge=1)] = Field(
        default=256, description="random windows of each slice recomputed one by one as proof"
    )


class EvaluationConfig(Section):
    """How right the network is on whole slices."""

    average_px: Count = Field(
        default=128,
        description="width in pixels that the area map's probabilities are averaged over; the map "
        "is given raw and averaged, each with its own accuracy (ours)",
    )
    calibration: bool = Field(
        default=True,
        description="also measure how far the network's confidence is its share of right answers, "
        "and fit a temperature on validation patches (ours)",
    )
    novelty_quantile: float = Field(
        default=0.99,
        gt=0.5,
        lt=1,
        description="share of the training patches that counts as usual: a pixel that is farther "
        "from the training areas is marked as unlike them (ours)",
    )
    new_brains: int = Field(
        default=0,
        ge=0,
        description="source phantom: how many phantoms of other seeds the network names a slice "
        "of, which says how far it goes beyond the brain that trained it (ours); about 7 seconds "
        "each",
    )


class UnlabelledConfig(Section):
    """Learning without labels: two altered views of a place attract, other places repel (ours)."""

    steps: Count = Field(default=600, description="gradient steps (ours)")
    places: Annotated[int, Field(ge=2)] = Field(
        default=32,
        description="places per step; their number matters most, and their pixels are what they "
        "cost: 256 of one window (side 1) as much as 128 of 4 x 4 (ours)",
    )
    side: Annotated[int, Field(ge=1, le=8)] = Field(
        default=4,
        description="windows along each axis of a view, which share their computation (ours)",
    )
    learning_rate: float = Field(default=1e-3, gt=0, description="of Adam at its highest (ours)")
    slices: list[SliceIndex] | None = Field(
        default=None,
        min_length=1,
        description="slices that it sees, without their labels; null: the annotated and the "
        "extracted ones",
    )


class BorrowedConfig(Section):
    """A network that others trained."""

    name: Name = Field(description="what readout.networks, tables and figures call it")
    model: Model = Field(
        description="torchvision/NAME or timm/NAME (pip install 'brainarch[networks]'), or "
        "module:function of your own that returns a torch.nn.Module of colour images"
    )
    layer: str = Field(
        min_length=1, description="its layer, as named_modules calls it, whose output is taken"
    )
    weights: UserPath = Field(
        description="safetensors file, or a file of torch without code; where it is not there, the "
        "network is left out and the page says so"
    )
    sha256: Sha256 | None = Field(
        default=None, description="what the file must have; needed unless it is a safetensors file"
    )
    input_px: Annotated[int, Field(ge=32)] = Field(
        default=224, description=f"side that the patch of {PATCH} pixels is resized to"
    )
    pooling: Literal["mean", "first"] = Field(
        default="mean",
        description="mean over positions, or the first token of a transformer",
    )


class ReadoutConfig(Section):
    """Classifiers and statistics on the representations of sampled patches."""

    networks: Annotated[list[Name], AfterValidator(_once)] = Field(
        default=["cnn", "untrained", "texture"],
        min_length=1,
        description="what is compared: the trained CNN, the same CNN trained without labels "
        "(unlabelled; see that section), the network as its authors define it (authors: padded, "
        "raw grey values, their dropout; patch by patch), the same untrained, hand-crafted "
        "texture features, and the names of readout.borrowed",
    )
    authors: str | None = Field(
        default=None,
        description="network that `brainarch import-weights` made of the authors' published "
        "weights, where networks names authors; null: it is trained here, for 50 epochs or as "
        "training.epochs says",
    )
    borrowed: list[BorrowedConfig] = Field(
        default=[],
        description="networks that others trained, such as those of V, Fig. 4",
    )
    noise_variances: Annotated[list[Variance], AfterValidator(_unlike)] = Field(
        default=[0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
        min_length=2,
        description="variances of Gaussian noise on grey values in [0, 1] (ours, up to 0.1)",
    )
    noise_patches: Count = Field(
        default=200, description="test patches per area in the noise curve (ours)"
    )
    degradation_patches: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="test patches per area that are also shown with fewer grey levels, another "
        "contrast or brightness, blurred, and at another resolution; 0 leaves that out (ours)",
    )
    label_draws: Annotated[int, Field(ge=0)] = Field(
        default=5,
        description="draws of 1, 2, 4, 8 labelled blocks of each area, on which linear probes are "
        "fitted: how many labels each representation needs; 0 leaves that out (ours)",
    )
    gram_patches: Count = Field(
        default=500, description="test patches per area in the Gram matrix (ours)"
    )

    @model_validator(mode="after")
    def _named(self) -> ReadoutConfig:
        borrowed = [entry.name for entry in self.borrowed]
        twice = _repeated([*NETWORKS, *borrowed])
        if twice:
            raise ValueError(f"borrowed: the name {twice[0]} stands twice or is one of ours")
        known = [*NETWORKS, *borrowed]
        for name in self.networks:
            if name not in known:
                raise ValueError(
                    f"networks: no such network as {name}; there are {', '.join(known)}"
                )
        return self


class FactorizationConfig(Section):
    """Non-negative matrix factorisation of the dense representation."""

    slices: list[SliceIndex] | None = Field(
        default=None,
        min_length=1,
        description="slices that one basis is fitted on together; every other slice of "
        "extraction.slices is held out; null: the first of them that is an annotated test slice "
        "(M: z=259), or else the first",
    )
    basis: UserPath | None = Field(
        default=None,
        description="beside network: basis that a run with that network fitted "
        "(factors/cnn/basis.csv, fit.json beside it), on which every slice is projected; null "
        "fits one",
    )
    factors: Annotated[int, Field(ge=1, le=UNITS)] = Field(
        default=15, description=f"number of factors k, at most the {UNITS} units (M: 15)"
    )
    starts: Count = Field(
        default=3,
        description="starts that are tried on a sample of the pixels, the best goes on (ours)",
    )
    max_iterations: Count = Field(
        default=200, description="most passes of the solver over the pixels (ours)"
    )
    tolerance: float = Field(
        default=3e-4,
        gt=0,
        description="decrease of the error in a pass, as a share of it, at which the solver stops "
        "(ours)",
    )
    sweep: list[Annotated[int, Field(ge=1, le=UNITS // 2)]] | None = Field(
        default=None,
        min_length=1,
        description="numbers of factors that are compared on a sample: error at held-out pixels "
        "and units, stability, zeros (figure M5), for example [5, 10, 15, 20, 30]; null compares "
        "none (ours)",
    )


class SelectionConfig(Section):
    """Which factors predict areas and layers (M, A)."""

    rule: Literal["auroc", "papers"] = Field(
        default="auroc",
        description="which pairs figures, page and verdicts show; the tables have both. papers (M, "
        "A): coverage less leakage above the threshold, by which a factor that is a little present "
        "everywhere can win; auroc (ours): how well the coefficient tells the area from the rest",
    )
    threshold: float = Field(
        default=0.0, ge=0, description="papers: coefficient above which a factor is present (M: 0)"
    )
    area_leakage: float = Field(default=0.5, ge=0, description="papers: lambda over areas (M: 0.5)")
    area_count: Count = Field(default=6, description="pairs selected over areas (M: 6)")
    layer_leakage: float = Field(
        default=0.3, ge=0, description="papers: lambda over layers (A: 0.3)"
    )
    layer_count: Count = Field(default=3, description="pairs selected over layers (M: 3)")


class DiscoveryConfig(Section):
    """Subdivisions found inside one area."""

    area: Name = Field(description="the area to subdivide, for example Ctx")
    upper: Name = Field(
        description="what borders its depth 0: an area's name, or outside for the unlabelled side "
        "away from the other border (or outside-left, -right, -top, -bottom)"
    )
    lower: Name = Field(description="what borders its depth 1, named likewise")
    clusters: Annotated[int, Field(ge=2)] = Field(
        default=4, description="clusters of k-means on the PCA (V: 4)"
    )
    components: Annotated[int, Field(ge=2)] = Field(
        default=4, description="components of the Gaussian mixture on coefficients (M, A: 4)"
    )
    inside_px: Annotated[int, Field(ge=0)] = Field(
        default=64, description="least distance to the area's border in pixels (A: 64)"
    )
    average_um: float = Field(
        default=112,
        ge=0,
        description="standard deviation, in micrometres, of the Gaussian over which coefficients "
        "are averaged inside the area before components are found (ours; M: 0, every pixel alone)",
    )
    sweep: list[Annotated[int, Field(ge=1)]] | None = Field(
        default=None,
        min_length=1,
        description="numbers of components that are compared by BIC, held-out likelihood and "
        "stability, for example [1, 2, 3, 4, 5, 6, 8]; null compares none (ours)",
    )


class StatisticsConfig(Section):
    """Intervals and nulls, the same wherever one stands."""

    resamples: Annotated[int, Field(ge=100)] = Field(
        default=1000, description="resamples of the spatial block bootstrap (ours)"
    )
    block_px: Annotated[int, Field(ge=WINDOW)] | Literal["auto"] = Field(
        default="auto",
        description="side of its blocks in pixels, at least a window; auto (ours): six times the "
        "distance over which the network's errors on test patches stay alike",
    )
    nulls: Annotated[int, Field(ge=99)] = Field(
        default=200,
        description="maps that know nothing, of each kind, that a finding is compared with; at "
        "least 99, for one in a hundred (ours)",
    )


#: Sections of runs that train: a config with a trained network has none of them.
LEARNING = (
    *("annotations", "splits", "layers", "sampling", "training", "unlabelled", "readout"),
    *("selection", "discovery"),
)


class Config(Section):
    """Everything that a run depends on."""

    dataset: Name = Field(
        description="name of the results folder: letters, digits, _ and -; "
        "two datasets never share a file"
    )
    title: str = Field(min_length=1, description="name shown in the report")
    source: Literal["phantom", "tiff", "prasad2020"] = Field(
        description="phantom: the embedded synthetic volume; tiff: a volume of your own; "
        "prasad2020: the published volume, the only one compared with published figures"
    )
    seed: int = Field(
        default=2020, ge=0, lt=2**32, description="the one seed of every random choice"
    )
    volume: VolumeConfig = Field(description="the image volume")
    network: UserPath | None = Field(
        default=None,
        description="trained network (networks/main/network.safetensors of a run, novelty.json "
        "beside it) that maps slices without annotations: annotations, splits and what learns "
        "or needs labels are left out then, and extraction.where is tissue or all; null trains one",
    )
    areas: list[AreaConfig] = Field(
        default=[],
        min_length=2,
        description="the areas to tell apart, in the order of figures and tables; with network, "
        "the areas that it names, in its order, or left out",
    )
    annotations: AnnotationConfig = Field(
        default_factory=lambda: AnnotationConfig.model_construct(slices=[]),
        description="the annotated slices; needed unless there is a network",
    )
    layers: LayersConfig | None = Field(
        default=None, description="layers inside the area of discovery, or null without"
    )
    download: DownloadConfig | None = Field(
        default=None,
        description="what to fetch from BossDB; null: nothing, the files are where volume.path and "
        "annotations.path say",
    )
    splits: Annotated[SliceSplits | BlockSplits, Field(discriminator="by")] = Field(
        default_factory=lambda: SliceSplits.model_construct(by="slices", train=[], val=[], test=[]),
        description="training, validation and test; needed unless there is a network",
    )
    sampling: SamplingConfig = Field(
        default_factory=SamplingConfig, description="which patches are drawn"
    )
    training: TrainingConfig = Field(
        default_factory=lambda: TrainingConfig.model_validate({}),
        description="how the network is trained",
    )
    unlabelled: UnlabelledConfig = Field(
        default_factory=UnlabelledConfig,
        description="learning without labels, where readout.networks, extraction.networks or "
        "training.start names unlabelled",
    )
    extraction: ExtractionConfig = Field(description="the dense representation of whole slices")
    evaluation: EvaluationConfig = Field(
        default_factory=EvaluationConfig, description="how right the network is on whole slices"
    )
    readout: ReadoutConfig = Field(
        default_factory=ReadoutConfig, description="classifiers and statistics on patches"
    )
    factorization: FactorizationConfig = Field(
        default_factory=FactorizationConfig, description="NMF of the dense representation"
    )
    selection: SelectionConfig = Field(
        default_factory=SelectionConfig, description="which factors predict areas and layers"
    )
    discovery: DiscoveryConfig | None = Field(
        default=None, description="subdivisions of one area, or null without"
    )
    statistics: StatisticsConfig = Field(
        default_factory=StatisticsConfig, description="intervals and nulls of all stages"
    )

    def labels_start(self, labels: AnnotationConfig | LayersConfig) -> int | None:
        """Return the first slice of a label volume, or None where every file holds one slice."""
        if labels.path is None or has_slice_field(labels.path):
            return None
        return self.volume.first_slice if labels.first_slice is None else labels.first_slice

    @model_validator(mode="before")
    @classmethod
    def _take_areas(cls, content: Any) -> Any:
        """Take the areas that a trained network names where none are listed."""
        network = content.get("network") if isinstance(content, dict) else None
        if not isinstance(network, str):
            return content
        given = {k: v for k, v in content.items() if v is not None or k not in LEARNING}
        if given.get("areas"):
            return given
        path = Path(_expanded(network))
        try:
            names = read_header(path).get("areas", [])
        except InputError as error:
            raise ValueError(f"network: {error}") from None
        if not names:
            raise ValueError(f"network: {path}: trained without labels, so that it names no areas")
        areas = [{"name": n, "title": n, "codes": [i]} for i, n in enumerate(names, 1)]
        return {**given, "areas": areas}

    @field_serializer("annotations", "splits", mode="wrap")
    def _absent(self, section: Section, write: SerializerFunctionWrapHandler) -> Any:
        """Write nothing of sections that a config with a network does not have."""
        return write(section) if self.network is None else None

    @model_validator(mode="before")
    @classmethod
    def _name_all_slices(cls, content: Any) -> Any:
        """Write out ``extraction.slices: all`` as the range that the volume has."""
        try:
            extraction, volume = content["extraction"], content["volume"]
            if extraction["slices"] != "all":
                return content
            first = int(volume.get("first_slice", 0))
            slices = f"{first}:{first + int(volume['shape'][0])}"
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return content  # what is wrong with them is said where they are checked
        return {**content, "extraction": {**extraction, "slices": slices}}

    @model_validator(mode="after")
    def _agree(self) -> Config:
        problems = self._network_problems() or [
            *self._slice_problems(),
            *self._split_problems(),
            *self._legend_problems(),
            *self._source_problems(),
            *self._reading_problems(),
            *self._resampling_problems(),
            *self._download_problems(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _network_problems(self) -> list[str]:
        """Return sections that are missing without a network, or make no sense with one."""
        fields = type(self).model_fields
        given = {
            key: getattr(self, key) != fields[key].get_default(call_default_factory=True)
            for key in ("areas", *LEARNING)
        }
        if self.network is None:
            needed = ("areas", "annotations", "splits")
            problems = [f"{key}: this key is missing" for key in needed if not given[key]]
            if self.factorization.basis is not None:
                problems.append("factorization.basis: only beside network, which it was fitted on")
            return problems
        problems = [
            f"{key}: network is trained, and its slices have no annotations; leave {key} out"
            for key in LEARNING
            if given[key]
        ]
        if self.source == "prasad2020":
            problems.append("source: published figures are of a run that trains; say tiff")
        if self.evaluation.new_brains:
            problems.append("evaluation.new_brains: for a run that trains; leave it 0")
        if self.download is not None and self.download.areas is not None:
            problems.append("download.areas: with network no annotations are read; leave it null")
        if self.extraction.networks != [CNN]:
            problems.append("extraction.networks: network is the only one; leave it out")
        if self.extraction.where == "labelled":
            problems.append("extraction.where: nothing is labelled; say tissue or all")
        if self.factorization.basis is not None:
            problems += [
                f"factorization.{key}: nothing is fitted, there is a basis; leave {key} out"
                for key in ("slices", "sweep")
                if getattr(self.factorization, key) is not None
            ]
        return problems

    def _split_problems(self) -> list[str]:
        problems = []
        if self.splits.by == "slices":
            every = [*self.splits.train, *self.splits.val, *self.splits.test]
            for z in sorted({z for z in every if every.count(z) > 1}):
                problems.append(f"splits: slice {z} stands there twice; a slice has one split")
            problems += self._gap_problems()
        if self.readout.authors is not None and "authors" not in self.readout.networks:
            problems.append("readout.authors: readout.networks does not name authors; add it there")
        if "cnn" not in self.readout.networks:
            problems.append("readout.networks: cnn is missing; every comparison is with it")
        if CNN not in self.extraction.networks:
            problems.append("extraction.networks: cnn is missing; figures and page are about it")
        problems += [
            f"extraction.networks: {name} is not trained; raise training.repeats above "
            f"{name.removeprefix(REPEAT)}"
            for name in self.extraction.networks
            if is_repeat(name) and not 1 <= int(name.removeprefix(REPEAT)) < self.training.repeats
        ]
        return problems

    def _gap_problems(self) -> list[str]:
        """Return the closest slices of different splits if they are closer than may be (V)."""
        assert self.splits.by == "slices"
        least, side = self.sampling.min_gap_um, self.volume.sides_um[0]
        split_of = {
            z: split for split in ("train", "val", "test") for z in getattr(self.splits, split)
        }
        ordered = sorted(split_of)
        close = [
            (w - z, z, w)
            for z, w in pairwise(ordered)
            if split_of[z] != split_of[w] and (w - z) * side < least * (1 - 1e-9)
        ]
        if not close:
            return []
        gap, z, w = min(close)
        thin = ""
        if (self.volume.shape[0] - 1) * side < 2 * least:
            thin = (
                "; the volume is too thin for that, lower sampling.min_gap_um or say splits.by: "
                "blocks"
            )
        return [
            f"splits: slices {z} ({split_of[z]}) and {w} ({split_of[w]}) are {gap * side:.1f} um "
            f"apart; sampling.min_gap_um asks for {least:g} um between splits, choose slices "
            f"{math.ceil(least / side - 1e-9)} or more apart{thin}"
        ]

    def _slice_problems(self) -> list[str]:
        first = self.volume.first_slice
        stop = first + self.volume.shape[0]
        annotated = self.annotations.slices
        used: list[tuple[str, list[int], bool]] = [("annotations.slices", annotated, False)]
        if self.splits.by == "slices":
            for split in ("train", "val", "test"):
                used.append((f"splits.{split}", getattr(self.splits, split), True))
        else:
            used.append(("splits.slice", [self.splits.slice], True))
        if self.layers is not None:
            used.append(("layers.slices", self.layers.slices, True))
        problems: list[str] = []
        told: set[int] = set()
        if self.unlabelled.slices is not None:
            used.append(("unlabelled.slices", self.unlabelled.slices, False))
        needs_labels = self.extraction.where == "labelled"
        used.append(("extraction.slices", self.extraction.slices, needs_labels))
        fitted = self.factorization.slices or []
        used.append(("factorization.slices", fitted, False))
        problems += [
            f"factorization.slices: slice {z} is not among extraction.slices"
            for z in fitted
            if z not in self.extraction.slices
        ]
        for key, slices, must_be_annotated in used:
            if len(set(slices)) != len(slices):
                problems.append(f"{key}: a slice is named twice")
            inside = f"{first} to {stop - 1}"
            outside = [z for z in slices if not first <= z < stop]
            if not told.issuperset(outside):  # most stand in several lists
                told.update(outside)
                problems.append(
                    f"{key}: {_slices(outside)} outside the volume ({inside}), which begins at "
                    "volume.first_slice"
                )
            unknown = [z for z in slices if z not in annotated and z not in outside]
            if must_be_annotated and unknown:
                also = "; say extraction.where: tissue" if key == "extraction.slices" else ""
                problems.append(f"{key}: {_slices(unknown)} not among annotations.slices{also}")
        rows = self.extraction.rows
        if rows is not None and not rows[0] < rows[1] <= self.volume.stored_shape[1]:
            problems.append(
                f"extraction.rows: {list(rows)} is no range of rows of the volume; wanted [first, "
                f"last + 1] within [0, {self.volume.stored_shape[1]}]"
            )
        return problems

    def _legend_problems(self) -> list[str]:
        problems = []
        groups: list[tuple[str, list[int | str], list[AreaConfig] | list[LayerConfig]]] = [
            ("areas", self.annotations.ignore, self.areas)
        ]
        if self.layers is not None:
            groups.append(("layers.names", self.layers.ignore, self.layers.names))
        for key, ignored, entries in groups:
            names = [entry.name for entry in entries]
            codes = [*(code for entry in entries for code in entry.codes), *ignored]
            problems += [f"{key}: the name {n} stands twice" for n in _repeated(names)]
            for code in _repeated(codes):
                owners = [entry.name for entry in entries for c in entry.codes if str(c) == code]
                if code in map(str, ignored):
                    owners.append("the codes to ignore")
                where = " and ".join(dict.fromkeys(owners))
                problems.append(f"{key}: the code {code} is used twice ({where}); keep one of them")
        problems += self._kind_problems()
        names = [area.name for area in self.areas]
        cut = self.training.nonsense_area
        if cut is not None and cut not in names:
            problems.append(f"training.nonsense_area: {cut} is not among the areas")
        if self.discovery is not None:
            if self.discovery.area not in names:
                problems.append(f"discovery.area: {self.discovery.area} is not among the areas")
            for key in ("upper", "lower"):
                border = getattr(self.discovery, key)
                if border not in (*OUTSIDE, *names):
                    problems.append(f"discovery.{key}: {border} is neither an area nor outside")
                if border == self.discovery.area:
                    problems.append(f"discovery.{key}: {border} cannot border itself")
            if self.discovery.upper == self.discovery.lower:
                problems.append(
                    f"discovery.lower: {self.discovery.lower} is discovery.upper as well; depth "
                    "runs from one border to another, name two"
                )
        elif self.layers is not None:
            problems.append("layers: they need discovery, which names the area that they divide")
        return problems

    def _kind_problems(self) -> list[str]:
        """Return areas told by codes in files of shapes, or by classes in others."""
        problems = []
        if self.network is not None:
            return []  # no file is read by these codes
        sections: list[tuple[str, str | None, list[AreaConfig] | list[LayerConfig]]] = [
            ("areas", self.annotations.path, self.areas)
        ]
        if self.layers is not None:
            sections.append(("layers.names", self.layers.path, self.layers.names))
        for key, path, entries in sections:
            wanted = str if has_shapes(path or "") else int
            for entry in entries:
                other = next((code for code in entry.codes if not isinstance(code, wanted)), None)
                if other is None:
                    continue
                mend = (
                    f"shapes have classes, say codes: [{entry.title!r}] or what their class is"
                    if wanted is str
                    else "a class is only for GeoJSON; say the pixels' whole number"
                )
                problems.append(f"{key}[{entry.name}].codes: {other!r}; {mend}")
        if self.training.outside and "outside" in (area.name for area in self.areas):
            problems.append("areas: training.outside has a class of the name outside; rename yours")
        return problems

    def _source_problems(self) -> list[str]:
        paths = {"volume.path": self.volume.path}
        if self.network is None:
            paths["annotations.path"] = self.annotations.path
        if self.layers is not None:
            paths["layers.path"] = self.layers.path
        if self.source == "phantom":
            problems = [
                f"{key}: the phantom is generated; leave the path null"
                for key, path in paths.items()
                if path is not None
            ]
            if not are_equal(*self.volume.sides_um):
                problems.append("volume.voxel_um: the phantom's voxels are cubes; give one number")
            return problems
        problems = [f"{key}: name the files" for key, path in paths.items() if path is None]
        if self.evaluation.new_brains:
            problems.append("evaluation.new_brains: only phantoms can be made anew; leave it 0")
        for key in ("annotations.path", "layers.path"):
            path = paths.get(key)
            if path is not None and is_url(path):
                problems.append(f"{key}: {path} is an address; labels are files, copy them here")
            elif path is not None and not (has_slice_field(path) or is_label_volume(path)):
                problems.append(f"{key}: {path} needs {{z}} where the slice stands")
        volume = paths["volume.path"] or ""
        if is_url(volume) and not in_zarr(volume):
            problems.append(f"volume.path: {volume} must be an OME-Zarr image, named *.zarr")
        return problems

    def _reading_problems(self) -> list[str]:
        problems = []
        window, path = self.volume.window, self.volume.path
        if window is not None and not window[0] < window[1]:
            problems.append(f"volume.window: {list(window)} must be the lower value and the higher")
        if self.volume.nan is not None and window is None:
            problems.append("volume.nan: only float data with a volume.window have NaN pixels")
        if window is not None and (self.source == "phantom" or in_zarr(path or "")):
            problems.append(
                "volume.window: only TIFF files of your own are narrowed; leave it null"
            )
        sections: list[tuple[str, AnnotationConfig | LayersConfig | None]] = [
            ("annotations", self.annotations),
            ("layers", self.layers),
        ]
        for key, section in sections:
            if section is None or section.first_slice is None:
                continue
            if section.path is None or has_slice_field(section.path):
                problems.append(f"{key}.first_slice: only for a label volume, a path without {{z}}")
        return problems

    def _resampling_problems(self) -> list[str]:
        volume = self.volume
        if volume.resampling is None:
            return []
        key = "patch_um" if volume.patch_um is not None else "resample_um"
        if self.source == "phantom":
            return [f"volume.{key}: the phantom is made at its own voxel size; leave it null"]
        if in_zarr(volume.path or ""):
            return [
                f"volume.{key}: an OME-Zarr volume is used where it lies; give the TIFF files, or "
                "leave it null and name a store of that pixel size"
            ]
        return []

    def _download_problems(self) -> list[str]:
        if self.download is None:
            return []
        if self.source == "phantom":
            return ["download: the phantom is generated; nothing is fetched for it"]
        if self.download.image is None and self.download.areas is None:
            return ["download: it names no channel; name image or areas, or leave it null"]
        problems = []
        stack, labels = self.volume.path or "", self.annotations.path or ""
        if self.download.image is not None and not _is_folder(stack):
            problems.append(
                f"volume.path: {stack} must be a folder, the slices are fetched into it"
            )
        if self.download.image is not None and self.volume.window is not None:
            problems.append("volume.window: fetched slices are not narrowed; leave it null")
        if self.download.areas is not None and not (
            labels.lower().endswith(TIFF_SUFFIXES) and has_slice_field(labels)
        ):
            problems.append(
                f"annotations.path: {labels} must have {{z}} where the slice stands and end in "
                ".tif, the labels are fetched"
            )
        return problems


def _slices(numbers: list[int]) -> str:
    """Return slices as the beginning of a sentence: slice 5 is, slices 5, 9 are."""
    every = list(dict.fromkeys(map(str, numbers)))
    listed = ", ".join(every[:NAMED_SLICES])
    if len(every) > NAMED_SLICES:
        listed += f" and {len(every) - NAMED_SLICES} more"
    return f"slices {listed} are" if len(set(numbers)) > 1 else f"slice {listed} is"


def _is_folder(path: str) -> bool:
    is_file = path.lower().endswith(TIFF_SUFFIXES) or in_zarr(path)
    return not is_file and not any(sign in path for sign in "*?[{")


def _repeated(values: list[str] | list[int | str]) -> list[str]:
    return sorted({str(value) for value in values if list(values).count(value) > 1})
