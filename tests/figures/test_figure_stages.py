"""The stages that draw, from small stores on disk to PNG, PDF and CSV."""

from __future__ import annotations

from pathlib import Path

import figure_fakes as fakes
import numpy as np
import pandas as pd
import pytest
import zarr
from matplotlib.colors import to_hex

from brainarch.annotations.store import create_labels, open_labels
from brainarch.dense.cube import Cube
from brainarch.embedding.representations import Representations, save_representations
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.figures import plotted, sources, stages
from brainarch.grids.grid import Place
from brainarch.grids.maps import SliceMaps, write_maps
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, save_network
from brainarch.readout.gram_excerpt import GramExcerpt, save_excerpt
from brainarch.records import write_record
from brainarch.tables import read_table
from brainarch.volume.store import ATTRIBUTE, multiscale_attributes, open_volume
from small_inputs import write_plain

SHAPE = (3, 200, 480)
VOXEL_UM = 1.17
STRIDE = 4
FACTORS = 5
NAMES = fakes.NAMES[:4]
TITLES = ("Cortex <script>", "Striatum", "Thalamus", "Zona incerta")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A volume with slices 4 to 6; 4 and 6 are annotated, and extracted at rows 40 to 160."""
    root = tmp_path_factory.mktemp("dataset")
    labels = fakes.label_slice(4, *SHAPE[1:])
    layer_codes, depth = fakes.layer_slices(*SHAPE[1:])
    layer_codes = np.where(labels == 1, layer_codes, 0).astype(np.uint8)
    write_volume(root / "volume.ome.zarr", labels)
    for name, codes in (("areas", labels), ("layers", layer_codes)):
        store = create_labels(root / f"{name}.ome.zarr", SHAPE, VOXEL_UM, [4, 6], first_slice=4)
        for z in (4, 6):
            store.write_slice(z, codes)
    y, x = np.arange(40, 160, STRIDE), np.arange(0, SHAPE[2], STRIDE)
    grid = labels[np.ix_(y, x)]
    places = {z: Place(z, STRIDE, VOXEL_UM, y, x) for z in (4, 6)}
    write_dense(root, grid, places)
    write_found(root, grid, layer_codes[np.ix_(y, x)], depth[np.ix_(y, x)], places)
    write_tables(root, labels)
    return root


def write_volume(path, labels):
    ome = multiscale_attributes("volume", [(VOXEL_UM,) * 3], [(4 * VOXEL_UM, 0.0, 0.0)])
    group = zarr.create_group(
        path, zarr_format=3, attributes={"ome": ome, ATTRIBUTE: {"first_slice": 4}}
    )
    array = group.create_array("0", shape=SHAPE, dtype="uint8", chunks=(1, 100, 100))
    for index in range(SHAPE[0]):
        array[index] = fakes.grey_slice(labels, index)


def write_dense(root, grid, places):
    rng = np.random.default_rng(0)
    cube = Cube.create(root / "cube.zarr", places[4], 8)
    block = rng.random((*grid.shape, 8)).astype(np.float32)
    block[..., 3] += grid == 2
    cube.write(0, 0, block, grid > 0)
    for z, place in places.items():
        maps = CoefficientMaps.create(root / f"coefficients_{z}.zarr", place, FACTORS)
        iy, ix = np.nonzero(grid)
        C = rng.random((len(iy), FACTORS)).astype(np.float32)
        for factor in range(4):
            C[:, factor] += 3 * (grid[iy, ix] == factor + 1)
        maps.write_rows(0, iy, ix, C)
    network = AreaNetwork(4).eval()
    trained = TrainedNetwork(network, NAMES, Normalisation(0.5, 0.2), VOXEL_UM, "uint8", {})
    save_network(trained, root / "network.safetensors")


def write_found(root, grid, layers, depth, places):
    found = np.where(grid == 1, fakes.clusters_of(layers), 0)
    about = {"area": "Ctx", "area_share": 0.8}
    for z, place in places.items():
        write_maps(root / f"components_{z}.zarr", {"subdivision": found}, place, about)
        write_plain(fakes.profiles(z, found, layers, depth), root / f"profiles_{z}.csv")
        write_plain(fakes.agreement(z), root / f"agreement_{z}.csv")
    write_maps(root / "depth.zarr", {"depth": depth}, places[4], about)
    write_maps(root / "prediction.zarr", {"area": fakes.mistaken(grid, 4)}, places[4], {})


def write_tables(root, labels):
    names = (("area", NAMES), ("layer", fakes.LAYERS))
    errors, blocks, points, variance, grams = fakes.gram_tables(NAMES, ("cnn", "texture"))
    related, joined, varied = fakes.relation_tables(NAMES, ("cnn", "texture"))
    tables = {
        "relations": related,
        "hierarchy": joined,
        "variability": varied,
        "confusion": fakes.confusion(NAMES),
        "metrics": fakes.metrics(NAMES),
        "border": fakes.border(),
        "classifiers": fakes.classifiers(),
        "scores": fakes.mixture(),
        "differences": fakes.differences(),
        "noise": fakes.noise(),
        "curve": fakes.curve(),
        "meaning": fakes.meaning(NAMES)[0],
        "atlas": fakes.meaning(NAMES)[1],
        "typical": fakes.typical(),
        "outliers": fakes.outliers(NAMES),
        "ranks": fakes.ranks(),
        "sensitivity": fakes.sensitivity(NAMES),
        "patches": fakes.patch_table(labels, NAMES),
        "sizes": fakes.sizes(labels, NAMES),
        "errors": errors,
        "blocks": blocks,
        "points": points,
        "variance": variance,
        "basis": fakes.basis(FACTORS, 8),
        "selection_areas": fakes.selection(NAMES),
        "selection_layers": fakes.selection(fakes.LAYERS[:3], "layer"),
        "alignment": pd.concat(
            fakes.alignment(found, FACTORS, target, z) for z in (4, 6) for target, found in names
        ),
        "chosen": pd.concat(fakes.chosen(found, target, 6) for target, found in names),
        "matches": fakes.matches(),
    }
    for name, frame in tables.items():
        write_plain(frame, root / f"{name}.csv")
    write_record(root / "fit.json", {"slice": 4, "relative_error": 0.25})
    for network, gram in grams.items():
        excerpt = GramExcerpt(gram.values, gram.area.astype(np.int32), NAMES, network)
        save_excerpt(excerpt, root / f"gram_{network}.zarr")
    values, area, y, x = fakes.representation(labels, 4, units=8)
    whole = np.full(len(x), 4, dtype=np.int32)
    places = {"z": whole, "y": y.astype(np.int32), "x": x.astype(np.int32)}
    content = Representations(
        values,
        **places,
        area=area.astype(np.int32),
        areas=NAMES,
        network="cnn",
        unit_names=tuple(f"unit {index}" for index in range(8)),
        commensurate=True,
        network_digest="",
        seed=0,
    )
    save_representations(content, root / "representations.zarr")


def given(root):
    """What each figure is given, by its subject."""
    areas = {"areas": fakes.entries(NAMES, TITLES)}
    slices = {"volume": root / "volume.ome.zarr", "labels": root / "areas.ome.zarr"}
    layers = {"layers": root / "layers.ome.zarr", "layer_names": fakes.entries(fakes.LAYERS)}
    tables = {
        name: root / f"{name}.csv"
        for name in (
            "classifiers",
            "differences",
            "scores",
            "confusion",
            "metrics",
            "border",
            "sizes",
            "patches",
        )
    }
    return {
        "overview": {
            **slices,
            **areas,
            "network": root / "network.safetensors",
            "representations": root / "representations.zarr",
            "prediction": root / "prediction.zarr",
            "z": 4,
            "seed": 1,
        },
        "preview": {**slices, **areas, "sizes": tables["sizes"], "z": 6},
        "annotations": {
            **slices,
            **areas,
            "sizes": tables["sizes"],
            "patches": tables["patches"],
            "z": 4,
            "seed": 1,
        },
        "scale": {
            **areas,
            "labels": slices["labels"],
            "prediction": root / "prediction.zarr",
            **{name: tables[name] for name in ("confusion", "metrics", "border")},
            **{f"sampled_{name}": tables[name] for name in ("confusion", "metrics")},
        },
        "classifiers": {
            "classifiers": tables["classifiers"],
            "scores": tables["scores"],
            "differences": tables["differences"],
            "noise_curve": root / "noise.csv",
            "chance": 0.25,
            "slices": [104],
        },
        "gram": {
            **areas,
            "errors": root / "errors.csv",
            "blocks": root / "blocks.csv",
            "matrices": {name: root / f"gram_{name}.zarr" for name in ("cnn", "texture")},
            "components": root / "points.csv",
            "variance": root / "variance.csv",
            "slices": [104],
        },
        "relations": {
            **areas,
            "slices": [104],
            **{name: root / f"{name}.csv" for name in ("relations", "hierarchy", "variability")},
        },
        "clusters": {
            **areas,
            **layers,
            "volume": slices["volume"],
            "map": root / "components_4.zarr",
            "profiles": root / "profiles_4.csv",
            "depth": root / "depth.zarr",
            "agreement": root / "agreement_4.csv",
        },
        "factorization": {
            **areas,
            "cube": root / "cube.zarr",
            "basis": root / "basis.csv",
            "coefficients": root / "coefficients_4.zarr",
            "fit": root / "fit.json",
            "selection": root / "selection_areas.csv",
            "chosen": root / "chosen.csv",
        },
        "factors": {
            **slices,
            **areas,
            **layers,
            "coefficients": root / "coefficients_4.zarr",
            "selection": root / "selection_areas.csv",
            "alignment": root / "alignment.csv",
            "chosen": root / "chosen.csv",
            "maps": [root / f"components_{z}.zarr" for z in (4, 6)],
            "profiles": [root / f"profiles_{z}.csv" for z in (4, 6)],
            "agreements": [root / f"agreement_{z}.csv" for z in (4, 6)],
            "matches": root / "matches.csv",
            "layer_selection": root / "selection_layers.csv",
        },
        "meaning": {
            **areas,
            "meaning": root / "meaning.csv",
            "atlas": root / "atlas.csv",
            "selection": root / "selection_areas.csv",
            "sensitivity": root / "sensitivity.csv",
        },
        "typical": {"volume": slices["volume"], "typical": root / "typical.csv"},
        "outliers": {**areas, "volume": slices["volume"], "outliers": root / "outliers.csv"},
        "ranks": {"ranks": root / "ranks.csv", "chosen": 15},
        "learning_curves": {"curves": {"main": root / "curve.csv"}, "chance": 0.25},
    }


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Return a function that draws a figure of a subject into ``tmp_path``, in few pixels."""
    save = stages.save_figure
    monkeypatch.setattr(stages, "save_figure", lambda *given: save(*given[:5], dpi=40))

    def drawn(subject, arguments):
        outputs = {"png": "figure.png", "pdf": "figure.pdf", "table": "figure.csv"}
        paths = {name: tmp_path / path for name, path in outputs.items()}
        getattr(stages, f"draw_{subject}")(**arguments, **paths)

    return drawn


#: What a dataset without labels, layers or an area to subdivide leaves out.
OPTIONAL = {
    "overview": {"prediction"},
    "clusters": {"layers", "layer_names", "agreement"},
    "factorization": {"selection"},
    "factors": {
        "alignment",
        "maps",
        "profiles",
        "agreements",
        "matches",
        "layers",
        "layer_names",
        "layer_selection",
    },
}


@pytest.mark.parametrize("subject", given(Path()))
def test_every_stage_draws_its_figure(dataset, tmp_path, draw, subject):
    draw(subject, given(dataset)[subject])
    for ending in ("png", "pdf", "csv", "columns.json"):
        assert (tmp_path / f"figure.{ending}").stat().st_size > 100
    assert list(read_table(tmp_path / "figure.csv").columns) == list(plotted.COLUMNS)


@pytest.mark.parametrize("subject", ["annotations", "scale", "clusters"])
def test_the_splits_of_a_slice_are_those_of_its_store(dataset, tmp_path, draw, subject):
    labels = open_labels(dataset / "areas.ome.zarr").read_slice(4)
    codes = np.where(labels == 1, 1 + np.arange(len(labels))[:, None] // 70, 0).astype(np.uint8)
    store = create_labels(tmp_path / "splits.zarr", SHAPE, VOXEL_UM, [4], first_slice=4)
    store.write_slice(4, codes)
    draw(subject, given(dataset)[subject] | {"splits": tmp_path / "splits.zarr"})
    table = plotted.pick(read_table(tmp_path / "figure.csv"), series="patch centres")
    rows = slice(None) if subject == "annotations" else slice(40, 160)
    shown = np.bincount(codes[rows].ravel(), minlength=4)[1:]
    assert (shown > 0).sum() >= 2
    if subject == "clusters":  # a margin is shown round the area
        assert list(table["y"] > 0) == list(shown > 0)
    else:
        assert list(table["y"]) == list(shown)


@pytest.mark.parametrize("subject", OPTIONAL)
def test_figures_do_without_what_a_dataset_lacks(dataset, tmp_path, draw, subject):
    whole = given(dataset)[subject]
    draw(subject, {name: value for name, value in whole.items() if name not in OPTIONAL[subject]})
    assert (tmp_path / "figure.png").stat().st_size > 100


@pytest.mark.parametrize(
    ("subject", "change", "message"),
    [
        ("scale", {"confusion": "metrics.csv"}, "has no column predicted"),
        ("scale", {"prediction": "nothing.zarr"}, "no map here"),
        ("scale", {"prediction": "cube.zarr"}, "no map of this version"),
        ("overview", {"z": 5}, "no patch of slice 5"),
        ("annotations", {"z": 6}, "no patch of slice 6"),
        ("overview", {"areas": fakes.entries(NAMES[::-1])}, "other areas than the config's"),
        ("gram", {"areas": fakes.entries(fakes.NAMES)}, "other areas than the config's"),
        ("factorization", {"basis": "absent.csv"}, "no such table"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(dataset, tmp_path, draw, subject, change, message):
    changed = {
        name: dataset / value if isinstance(value, str) else value for name, value in change.items()
    }
    with pytest.raises(InputError, match=message) as raised:
        draw(subject, given(dataset)[subject] | changed)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_chosen_colour_and_title_are_shown(dataset, monkeypatch):
    shown = []
    monkeypatch.setattr(stages, "save_figure", lambda figure, *rest: shown.append(figure))
    areas = fakes.entries(NAMES)
    areas[1] |= {"title": "the striatum", "colour": "#123456"}
    paths = {"png": None, "pdf": None, "table": None}
    stages.draw_preview(**given(dataset)["preview"] | {"areas": areas}, **paths)
    texts = [text.get_text() for text in shown[0].texts]
    assert any(text.startswith("the striatum (Str)") for text in texts)
    assert "#123456" in [to_hex(artist.get_facecolor()) for artist in shown[0].artists]


def test_figures_show_the_extracted_part_only(dataset):
    maps = CoefficientMaps.open(dataset / "coefficients_4.zarr")
    top, bottom, left, right = sources.extracted_box(maps)
    inside = open_labels(dataset / "areas.ome.zarr").read_slice(4) > 0
    assert inside[top:bottom, left:right].any()
    assert top >= 40
    assert bottom <= 160
    picture = sources.factor_pictures(maps, [2])[2]
    assert picture.step == STRIDE
    assert (picture.row, picture.column) == (top, left)
    labels = sources.label_picture(
        open_labels(dataset / "areas.ome.zarr"), 4, (top, bottom, left, right)
    )
    assert labels.extent == picture.extent
    # Factor 2 was made high where the area's code is 2, so the pictures must lie on each other.
    codes = labels.values[::STRIDE, ::STRIDE]
    high = picture.values > 2.5
    assert (codes[high] == 2).all()


def test_a_factor_that_is_not_there_is_named(dataset):
    maps = CoefficientMaps.open(dataset / "coefficients_4.zarr")
    with pytest.raises(InputError, match="no factor 9, only 1 to 5"):
        sources.factor_pictures(maps, [9])


def test_unit_maps_are_values_of_the_cube(dataset):
    cube = Cube.open(dataset / "cube.zarr")
    pictures = sources.unit_pictures(cube, 3, max_side=40)
    assert len(pictures) == 3
    iy, ix, X = cube.read()
    for picture in pictures:
        assert max(picture.values.shape) <= 40
        row, column = np.argwhere(np.isfinite(picture.values))[0]
        y, x = picture.row + row * picture.step, picture.column + column * picture.step
        own = X[(cube.y[iy] == y) & (cube.x[ix] == x)]
        assert picture.values[row, column] in own


def test_codes_are_cropped_to_where_they_are(dataset):
    found = SliceMaps.open(dataset / "components_4.zarr")
    picture = sources.code_picture(found, "subdivision")
    assert (picture.values > 0).any(axis=0).all()
    y, x = np.argwhere(found.read("subdivision") > 0).min(axis=0)
    assert (picture.row, picture.column) == (found.y[y], found.x[x])


def test_a_box_is_widened_within_the_slice():
    assert sources.widened((5, 90, 30, 60), (100, 200), 10) == (0, 100, 20, 70)


def test_grey_pictures_know_their_slice(dataset):
    volume = open_volume(dataset / "volume.ome.zarr")
    picture = sources.grey_picture(volume, 5, (10, 60, 20, 100))
    np.testing.assert_array_equal(picture.values, volume.read_slice(5)[10:60, 20:100])
    assert picture.extent == pytest.approx((20 * 1.17, 100 * 1.17, 60 * 1.17, 10 * 1.17))
