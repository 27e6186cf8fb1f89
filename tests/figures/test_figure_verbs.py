"""The verbs, from small stores on disk to PNG, PDF and CSV."""

from __future__ import annotations

import json

import figure_fakes as fakes
import numpy as np
import pandas as pd
import pytest
import typer
import zarr
from typer.testing import CliRunner

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels, open_labels
from brainarch.cli import figures as verbs
from brainarch.dense.cube import Cube
from brainarch.discovery.maps import open_map, write_map
from brainarch.embedding.store import Representations, save_representations
from brainarch.errors import InputError
from brainarch.factors.store import CoefficientMaps
from brainarch.figures import plotted, sources
from brainarch.network.architecture import AreaNetwork
from brainarch.network.checkpoint import Checkpoint, save_checkpoint
from brainarch.network.grey import Normalisation
from brainarch.readout.drawing import GramDrawing, save_drawing
from brainarch.tables import read_table
from brainarch.volume.store import ATTRIBUTE, multiscale_attributes, open_volume

SHAPE = (3, 200, 480)
VOXEL_UM = 1.17
STRIDE = 4
FACTORS = 5
NAMES = fakes.NAMES[:4]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A volume with slices 4 to 6; 4 and 6 are annotated, and extracted at rows 40 to 160."""
    root = tmp_path_factory.mktemp("dataset")
    labels = fakes.label_slice(4, *SHAPE[1:])
    layer_codes, depth = fakes.layer_slices(*SHAPE[1:])
    layer_codes = np.where(labels == 1, layer_codes, 0).astype(np.uint8)
    write_volume(root / "volume.ome.zarr", labels)
    legend = make_legend(NAMES, {"Ctx": "Cortex <script>"})
    write_legend(legend, root / "legend.csv")
    layer_names = make_legend(fakes.LAYERS)
    write_legend(layer_names, root / "layers_legend.csv")
    for name, codes in (("areas", labels), ("layers", layer_codes)):
        store = create_labels(
            root / f"{name}.ome.zarr", SHAPE, VOXEL_UM, [4, 6], first_slice=4, legend=legend
        )
        for z in (4, 6):
            store.write_slice(z, codes)
    y, x = np.arange(40, 160, STRIDE), np.arange(0, SHAPE[2], STRIDE)
    grid = labels[np.ix_(y, x)]
    write_dense(root, grid, y, x)
    write_maps(root, grid, layer_codes[np.ix_(y, x)], depth[np.ix_(y, x)], (y, x))
    write_readout(root, labels)
    return root


def write_volume(path, labels):
    ome = multiscale_attributes("volume", [(VOXEL_UM,) * 3], [(4 * VOXEL_UM, 0.0, 0.0)])
    group = zarr.create_group(
        path, zarr_format=3, attributes={"ome": ome, ATTRIBUTE: {"first_slice": 4}}
    )
    array = group.create_array("0", shape=SHAPE, dtype="uint8", chunks=(1, 100, 100))
    for index in range(SHAPE[0]):
        array[index] = fakes.grey_slice(labels, index)


def write_dense(root, grid, y, x):
    rng = np.random.default_rng(0)
    attrs = {"z": 4, "stride": STRIDE, "voxel_um": VOXEL_UM}
    cube = Cube.create(root / "cube.zarr", y, x, 8, attrs)
    block = rng.random((*grid.shape, 8)).astype(np.float32)
    block[..., 3] += grid == 2
    block[grid == 0] = np.nan
    cube.write(0, 0, block, grid > 0)
    for z in (4, 6):
        maps = CoefficientMaps.create(
            root / f"coefficients_{z}.zarr", y, x, FACTORS, {"z": z, "stride": STRIDE}
        )
        iy, ix = np.nonzero(grid)
        C = rng.random((len(iy), FACTORS)).astype(np.float32)
        for factor in range(4):
            C[:, factor] += 3 * (grid[iy, ix] == factor + 1)
        maps.write_rows(0, iy, ix, C)
    fakes.basis(FACTORS, 8).to_csv(root / "basis.csv", index=False)
    fakes.selection(NAMES).to_csv(root / "selection_areas.csv", index=False)
    layers = fakes.selection(fakes.LAYERS[:3]).rename(columns={"area": "layer"})
    layers.to_csv(root / "selection_layers.csv", index=False)
    frames = [
        fakes.alignment(names, FACTORS).assign(slice=z, fitted=z == 4, target=target)
        for z in (4, 6)
        for target, names in (("area", NAMES), ("layer", fakes.LAYERS))
    ]
    pd.concat(frames).to_csv(root / "alignment.csv", index=False)
    (root / "fit.json").write_text(json.dumps({"slice": 4, "relative_error": 0.25}))
    fakes.matches().to_csv(root / "matches.csv", index=False)
    save_checkpoint(
        Checkpoint(AreaNetwork(4).eval(), NAMES, Normalisation(0.5, 0.2), VOXEL_UM, "uint8", {}),
        root / "network.safetensors",
    )


def write_maps(root, grid, layers, depth, positions):
    y, x = positions
    found = np.where(grid == 1, fakes.clusters_of(layers), 0)
    attrs = {"stride": STRIDE, "area": "Ctx"}
    for z in (4, 6):
        write_map(root / f"components_{z}.zarr", {"component": found}, y, x, attrs | {"z": z})
        profile = fakes.profiles(z, found, layers, depth)
        profile.to_csv(root / f"profiles_{z}.csv", index=False)
        fakes.agreement(z).to_csv(root / f"agreement_{z}.csv", index=False)
    write_map(root / "depth.zarr", {"depth": depth}, y, x, attrs | {"z": 4})
    predicted = fakes.mistaken(grid, 4)
    write_map(root / "prediction.zarr", {"area": predicted}, y, x, attrs | {"z": 4})


def write_readout(root, labels):
    fakes.confusion(NAMES).to_csv(root / "confusion.csv", index=False)
    fakes.metrics(NAMES).to_csv(root / "metrics.csv", index=False)
    fakes.border().to_csv(root / "border.csv", index=False)
    fakes.classifiers().to_csv(root / "classifiers.csv", index=False)
    fakes.mixture().to_csv(root / "mixture.csv", index=False)
    fakes.noise().to_csv(root / "noise.csv", index=False)
    fakes.curve().to_csv(root / "curve.csv", index=False)
    fakes.patch_table(labels, NAMES).to_csv(root / "patches.csv", index=False)
    fakes.sizes(labels, NAMES).to_csv(root / "sizes.csv", index=False)
    tables = fakes.gram_tables(NAMES, ("cnn", "texture"))
    for name, frame in zip(("errors", "blocks", "points", "variance"), tables, strict=False):
        frame.to_csv(root / f"{name}.csv", index=False)
    for network, gram in tables[4].items():
        drawing = GramDrawing(gram.values, gram.area.astype(np.int32), NAMES, network)
        save_drawing(drawing, root / f"gram_{network}.zarr")
    values, area, y, x = fakes.representation(labels, 4, units=8)
    whole = np.full(len(x), 4, dtype=np.int32)
    content = Representations(
        values,
        whole,
        y.astype(np.int32),
        x.astype(np.int32),
        whole,
        area.astype(np.int32),
        NAMES,
        "cnn",
        tuple(f"unit {index}" for index in range(8)),
        True,
        "",
        0,
    )
    save_representations(content, root / "representations.zarr")


def commands(root):
    layers = f"--layers {root}/layers.ome.zarr --layers-legend {root}/layers_legend.csv"
    return {
        "plot-overview": f"--volume {root}/volume.ome.zarr --labels {root}/areas.ome.zarr --slice 4"
        f" --checkpoint {root}/network.safetensors --representations {root}/representations.zarr"
        f" --prediction {root}/prediction.zarr",
        "plot-preview": f"--volume {root}/volume.ome.zarr --labels {root}/areas.ome.zarr --slice 6",
        "plot-annotations": f"--volume {root}/volume.ome.zarr --labels {root}/areas.ome.zarr"
        f" --slice 4 --area-table {root}/sizes.csv --patches {root}/patches.csv",
        "plot-scale": f"--labels {root}/areas.ome.zarr --prediction {root}/prediction.zarr"
        f" --confusion {root}/confusion.csv --metrics {root}/metrics.csv --border {root}/border.csv"
        f" --sampled-confusion {root}/confusion.csv --sampled-metrics {root}/metrics.csv",
        "plot-classifiers": f"--classifiers {root}/classifiers.csv --mixture {root}/mixture.csv"
        f" --noise {root}/noise.csv",
        "plot-gram": f"--errors {root}/errors.csv --blocks {root}/blocks.csv"
        f" --drawing cnn={root}/gram_cnn.zarr --drawing texture={root}/gram_texture.zarr"
        f" --components {root}/points.csv --variance {root}/variance.csv",
        "plot-clusters": f"--volume {root}/volume.ome.zarr --map {root}/components_4.zarr"
        f" --profiles {root}/profiles_4.csv --depth {root}/depth.zarr {layers}"
        f" --agreement {root}/agreement_4.csv",
        "plot-factorization": f"--volume {root}/volume.ome.zarr --cube {root}/cube.zarr"
        f" --basis {root}/basis.csv --coefficients {root}/coefficients_4.zarr"
        f" --fit {root}/fit.json --selection {root}/selection_areas.csv",
        "plot-factors": f"--volume {root}/volume.ome.zarr --labels {root}/areas.ome.zarr"
        f" --coefficients {root}/coefficients_4.zarr --selection {root}/selection_areas.csv"
        f" --alignment {root}/alignment.csv --map {root}/components_4.zarr"
        f" --map {root}/components_6.zarr --profiles {root}/profiles_4.csv"
        f" --profiles {root}/profiles_6.csv --matches {root}/matches.csv"
        f" --agreement {root}/agreement_4.csv --agreement {root}/agreement_6.csv {layers}"
        f" --layer-selection {root}/selection_layers.csv",
        "plot-learning-curves": f"--curves main={root}/curve.csv",
    }


def run(root, verb, options, output):
    app = typer.Typer()
    verbs.register(app)
    line = [verb, *options.split(), "--legend", f"{root}/legend.csv"]
    return CliRunner().invoke(app, [*line, "--output-prefix", str(output), "--dpi", "40"])


@pytest.mark.parametrize("verb", commands(""))
def test_every_verb_draws_its_figure(dataset, tmp_path, verb):
    result = run(dataset, verb, commands(dataset)[verb], tmp_path / "figure")
    assert result.exit_code == 0, result.exception
    for ending in ("png", "pdf", "csv", "columns.json"):
        assert (tmp_path / f"figure.{ending}").stat().st_size > 100
    assert list(read_table(tmp_path / "figure.csv").columns) == list(plotted.COLUMNS)


@pytest.mark.parametrize(
    ("verb", "change", "message"),
    [
        ("plot-scale", ("--sampled-metrics {root}/metrics.csv", ""), "give both or neither"),
        ("plot-scale", ("confusion.csv", "metrics.csv"), "has no column predicted"),
        ("plot-scale", ("prediction.zarr", "nothing.zarr"), "no map here"),
        ("plot-overview", ("--slice 4", "--slice 5"), "no patch of slice 5"),
        ("plot-annotations", ("--slice 4", "--slice 6"), "no patch of slice 6"),
        ("plot-gram", ("--drawing cnn=", "--drawing "), "wanted NAME=VALUE"),
        ("plot-factors", ("--matches {root}/matches.csv", ""), "--matches: missing"),
        ("plot-factors", ("--profiles {root}/profiles_6.csv", ""), "one of each"),
        ("plot-clusters", ("--layers {root}/layers.ome.zarr", ""), "give both or neither"),
        ("plot-factorization", ("basis.csv", "absent.csv"), "no such table"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(dataset, tmp_path, verb, change, message):
    old, new = (part.format(root=dataset) for part in change)
    options = commands(dataset)[verb]
    assert old in options
    result = run(dataset, verb, options.replace(old, new, 1), tmp_path / "figure")
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_figures_show_the_extracted_part_only(dataset):
    maps = CoefficientMaps.open(dataset / "coefficients_4.zarr")
    top, bottom, left, right = sources.extracted_box(maps)
    inside = open_labels(dataset / "areas.ome.zarr").read_slice(4) > 0
    assert inside[top:bottom, left:right].any()
    assert top >= 40
    assert bottom <= 160
    picture = sources.factor_pictures(maps, [2], VOXEL_UM)[2]
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
        sources.factor_pictures(maps, [9], VOXEL_UM)


def test_unit_maps_are_values_of_the_cube(dataset):
    cube = Cube.open(dataset / "cube.zarr")
    pictures = sources.unit_pictures(cube, 3, VOXEL_UM, max_side=40)
    assert len(pictures) == 3
    iy, ix, X = cube.read()
    for picture in pictures:
        assert max(picture.values.shape) <= 40
        row, column = np.argwhere(np.isfinite(picture.values))[0]
        y, x = picture.row + row * picture.step, picture.column + column * picture.step
        own = X[(cube.y[iy] == y) & (cube.x[ix] == x)]
        assert picture.values[row, column] in own


def test_codes_are_cropped_to_where_they_are(dataset):
    found = open_map(dataset / "components_4.zarr")
    picture = sources.code_picture(found, "component", VOXEL_UM)
    assert (picture.values > 0).any(axis=0).all()
    y, x = np.argwhere(found.read("component") > 0).min(axis=0)
    assert (picture.row, picture.column) == (found.y[y], found.x[x])


def test_a_box_is_widened_within_the_slice():
    assert sources.widened((5, 90, 30, 60), (100, 200), 10) == (0, 100, 20, 70)


def test_grey_pictures_know_their_slice(dataset):
    volume = open_volume(dataset / "volume.ome.zarr")
    picture = sources.grey_picture(volume, 5, (10, 60, 20, 100))
    np.testing.assert_array_equal(picture.values, volume.read_slice(5)[10:60, 20:100])
    assert picture.extent == pytest.approx((20 * 1.17, 100 * 1.17, 60 * 1.17, 10 * 1.17))
