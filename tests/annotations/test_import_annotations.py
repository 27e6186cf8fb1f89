from __future__ import annotations

import gzip
import logging
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
import typer
import zarr
from PIL import Image
from scipy.ndimage import uniform_filter
from typer.testing import CliRunner

from brainarch.annotations.areas import check_codes, recode
from brainarch.annotations.images import read_label_image
from brainarch.annotations.legend import read_legend
from brainarch.annotations.stages import import_labels
from brainarch.annotations.store import open_labels
from brainarch.cli.volume import import_annotations
from brainarch.errors import InputError
from brainarch.tables import read_columns, read_table
from brainarch.volume.store import ATTRIBUTE, multiscale_attributes

SHAPE = (12, 310, 420)
FIRST = 50


@pytest.fixture(scope="module")
def volume(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("a “v” ü") / "volume.ome.zarr"
    ome = multiscale_attributes("volume", [(2.0, 2.0, 2.0)], [(100.0, 0.0, 0.0)])
    attributes = {"ome": ome, ATTRIBUTE: {"first_slice": FIRST}}
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    group.create_array("0", shape=SHAPE, dtype="uint8", chunks=(1, 310, 420))
    return path


@pytest.fixture
def image() -> np.ndarray:
    """Codes 300 and 301 (area A), 7 (area B, thin), 9 (left out), 0."""
    codes = np.zeros(SHAPE[1:], dtype=np.uint16)
    codes[10:200, 5:105] = 300
    codes[10:200, 105:300] = 301
    codes[220:300, 5:400] = 7
    codes[:5, :5] = 9
    return codes


#: Area A, area B, and what is left out.
CODES = {"A": [300, 301], "B": [7]}
IGNORED = (0, 9)


def run(volume: Path, folder: Path, images: dict[int, Path], codes=CODES, **settings) -> None:
    default = {"ignored": IGNORED, "shares": {}, "first_slice": None, "first_stated": False}
    default["axes"] = None
    default["hole_um2"] = 0
    import_labels(
        volume=volume,
        images={z: str(path) for z, path in images.items()},
        codes=codes,
        labels=folder / "labels.zarr",
        legend=folder / "legend.csv",
        table=folder / "table.csv",
        **{**default, **settings},
    )


def refusal(*arguments, **settings) -> str:
    with pytest.raises(InputError) as caught:
        run(*arguments, **settings)
    return str(caught.value)


def test_store_legend_and_table(volume, image, tmp_path, caplog):
    odd = tmp_path / "it's “x=1” ü.tif"
    tifffile.imwrite(odd, image)
    only = tmp_path / "b.png"
    Image.fromarray(np.where(image == 7, 7, 0).astype(np.uint8)).save(only)
    with caplog.at_level(logging.WARNING):
        run(volume, tmp_path, {58: only, 53: odd}, shares={"B": 0.5})
    assert [record.getMessage() for record in caplog.records] == [
        "slice 58: area A has no pixel on it"
    ]
    labels = open_labels(tmp_path / "labels.zarr")
    assert labels.annotated_slices == (53, 58)
    expected = np.select([np.isin(image, (300, 301)), image == 7], [1, 2])
    np.testing.assert_array_equal(labels.read_slice(53), expected)
    np.testing.assert_array_equal(labels.read_slice(58), np.where(image == 7, 2, 0))
    legend = read_legend(tmp_path / "legend.csv")
    assert legend.names == ("A", "B")
    assert (tmp_path / "legend.csv").read_text() == "code,name\n1,A\n2,B\n"
    table = read_table(tmp_path / "table.csv")
    assert set(read_columns(tmp_path / "table.csv")) == set(table.columns)
    assert table[["slice", "area"]].to_numpy().tolist() == [
        [53, "A"], [53, "B"], [58, "A"], [58, "B"],
    ]  # fmt: skip
    # A is 190 x 295: (190 - 127) x (295 - 127) whole patches, 1 x 2 of them side by side.
    # B is 80 x 395: a patch is inside by half where its 128 rows hold 64 of B or, at the ends,
    # more rows and fewer columns; scipy's moving mean counts them.
    a, b = table.iloc[0], table.iloc[1]
    assert (a["pixels"], a["um2"], a["interior_centres"]) == (190 * 295, 190 * 295 * 4, 63 * 168)
    assert a["share_centres"] == 63 * 168
    assert a["independent_patches"] == 2
    assert (b["pixels"], b["interior_centres"]) == (80 * 395, 0)
    share = uniform_filter((image == 7).astype(float), 128, mode="constant") + 1e-9
    assert b["share_centres"] == ((share >= 0.5) & (image == 7)).sum() > 0
    assert b["independent_patches"] == 3
    assert table.iloc[2, 2:].tolist() == [0] * 8
    np.testing.assert_array_equal(table.iloc[3, 2:].tolist(), b.iloc[2:].tolist())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_integer_types_and_formats(tmp_path, dtype):
    codes = np.arange(12, dtype=dtype).reshape(3, 4)
    tifffile.imwrite(tmp_path / "l.TIF", codes, photometric="minisblack")
    np.testing.assert_array_equal(read_label_image(tmp_path / "l.TIF"), codes)
    if dtype in ("uint8", "uint16"):
        Image.fromarray(codes).save(tmp_path / "l.png")
        np.testing.assert_array_equal(read_label_image(tmp_path / "l.png"), codes)


def test_palette_images_are_their_indices(tmp_path):
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = Image.fromarray(codes, mode="P")
    picture.putpalette(list(range(255, -1, -1)) * 3)
    picture.save(tmp_path / "l.png")
    colours = np.zeros((3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "l.tif", codes, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(read_label_image(tmp_path / "l.png"), codes)
    np.testing.assert_array_equal(read_label_image(tmp_path / "l.tif"), codes)


def test_unknown_codes_are_listed_with_their_pixels(volume, image, tmp_path):
    path = tmp_path / "l.tif"
    image[100, 100:103] = 8
    image[0, 400] = 65535
    tifffile.imwrite(path, image)
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: the legend has no area for code 8 (3 px), 65535 (1 px); add it to an area or "
        "ignore it"
    )
    assert not (tmp_path / "labels.zarr").exists()


def test_grey_values_instead_of_labels(volume, tmp_path):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 200, (310, 420)).astype(np.uint8))
    line = refusal(volume, tmp_path, {53: path})
    assert len(line) < 400 + len(str(path))
    assert line.count(" px)") == 12
    # 200 values, of which 0, 7 and 9 are known
    assert line.endswith(" and 185 more (are these grey values?); add it to an area or ignore it")


def test_other_shape(volume, tmp_path):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, np.ones((420, 310), np.uint8))
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: labels of slice 53 are 420 x 310 px, but the volume's slices are 310 x 420 px; "
        "they look transposed, set annotations.axes (or layers.axes) to zxy"
    )
    tifffile.imwrite(path, np.ones((310, 421), np.uint8))
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: labels of slice 53 are 310 x 421 px, but the volume's slices are 310 x 420 px; "
        "use labels drawn on this volume"
    )


def test_transposed_labels_on_request(volume, image, tmp_path):
    path = tmp_path / "l.png"
    Image.fromarray(image.T.copy()).save(path)
    run(volume, tmp_path, {53: path}, axes="zxy")
    expected = np.select([np.isin(image, (300, 301)), image == 7], [1, 2])
    np.testing.assert_array_equal(open_labels(tmp_path / "labels.zarr").read_slice(53), expected)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_colour(volume, tmp_path, suffix):
    path = tmp_path / f"l{suffix}"
    Image.fromarray(np.zeros((310, 420, 3), np.uint8)).save(path)
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: is a colour image; give labels as whole numbers"
    )


def test_fractions(volume, tmp_path):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, np.ones(SHAPE[1:], np.float32))
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: labels are float32; wanted whole numbers, uint8 or uint16"
    )


def test_no_labelled_pixel(volume, tmp_path):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, np.zeros(SHAPE[1:], np.uint8))
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: no pixel belongs to an area; check codes and ignored codes"
    )


@pytest.mark.parametrize("z", [49, 62, 0])
def test_slice_outside_the_volume(volume, image, tmp_path, z):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, image)
    assert refusal(volume, tmp_path, {z: path}) == (
        f"{volume}: slice {z} is outside the volume, which has slices 50 to 61"
    )


def test_files_that_are_none(volume, tmp_path):
    path = tmp_path / "l.tif"
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: no such file; the labels of slice 53 are declared to be there; "
        "its folder is empty"
    )
    path = tmp_path / "l.png"
    path.write_bytes(b"")
    assert refusal(volume, tmp_path, {53: path}).startswith(f"{path}: not a readable PNG file (")
    path = tmp_path / "l.jpg"
    path.write_bytes(b"")
    assert refusal(volume, tmp_path, {53: path}) == (
        f"{path}: not a TIFF, PNG, NRRD, GeoJSON or OME-Zarr file; export the labels as one"
    )


def test_codes_must_mean_one_thing(volume, image, tmp_path):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, image)
    images = {53: path}
    assert refusal(volume, tmp_path, images, {"A": [1, 2], "B": [2]}) == (
        "code 2: stands for A and B; choose one"
    )
    assert refusal(volume, tmp_path, images, {"A": [0]}) == (
        "code 0: stands for A and is ignored; choose one"
    )
    message = refusal(volume, tmp_path, images, {"A": [1]}, shares={"C": 1.0})
    assert message.startswith("area 'C'")
    with pytest.raises(InputError, match="area A: it has no code"):
        check_codes({"A": []}, [0])


def test_areas_of_the_real_slice(tmp_path):
    """Pixels and interior centres of the real labels, as they were counted apart from this code."""
    folder = os.environ.get("BRAINARCH_REAL_DATA")
    if not folder:
        pytest.skip("BRAINARCH_REAL_DATA names no folder with the real slice")
    codes = tifffile.imread(Path(folder) / "labels_z159.tif")
    ome = multiscale_attributes("volume", [(1.17,) * 3], [(159 * 1.17, 0.0, 0.0)])
    attributes = {"ome": ome, ATTRIBUTE: {"first_slice": 159}}
    group = zarr.create_group(tmp_path / "v.zarr", zarr_format=3, attributes=attributes)
    group.create_array("0", shape=(1, *codes.shape), dtype="uint8", chunks=(1, 512, 512))
    header = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 5805 1420\nencoding: gzip\n\n"
    labels = tmp_path / "l.nrrd"
    labels.write_bytes(header.encode() + gzip.compress(codes.tobytes(), 1))
    names = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")
    own = {name: [code] for code, name in enumerate(names, start=1)}
    run(tmp_path / "v.zarr", tmp_path, {159: labels}, own, ignored=[0], shares={"WM": 0.75})
    table = read_table(tmp_path / "table.csv").set_index("area")
    assert table["pixels"].to_dict() == {
        "Ctx": 1_521_398, "Str": 651_668, "VP": 727_852, "ZI": 378_902, "HypoTh": 565_934,
        "WM": 410_274,
    }  # fmt: skip
    assert table["interior_centres"].to_dict() == {
        "Ctx": 1_198_830, "Str": 365_868, "VP": 459_034, "ZI": 160_670, "HypoTh": 313_986,
        "WM": 15_090,
    }  # fmt: skip
    assert table.loc["WM", "share_centres"] == 192_771
    np.testing.assert_allclose(table["um2"], table["pixels"] * 1.17**2, rtol=1e-6)


def test_recode_against_one_pixel_at_a_time():
    rng = np.random.default_rng(3)
    image = rng.choice([0, 5, 17, 40000, 3], size=(40, 50))
    codes = [[5, 40000], [17]]
    expected = [[{5: 1, 40000: 1, 17: 2}.get(int(v), 0) for v in row] for row in image]
    np.testing.assert_array_equal(recode(image, codes, [0, 3], "image"), expected)
    with pytest.raises(InputError, match=r"image: .* code -1 \(1 px\)"):
        recode(np.array([[-1, 5]]), codes, [0], "image")


def test_the_verb_takes_explicit_paths(volume, image, tmp_path):
    tifffile.imwrite(tmp_path / "l.tif", image)
    run(volume, tmp_path, {53: tmp_path / "l.tif"}, shares={"B": 0.5})
    app = typer.Typer()
    app.command()(import_annotations)
    options = [f"--volume={volume}", f"--slice=53={tmp_path / 'l.tif'}", "--ignore=0,9"]
    options += ["--area=A=300,301", "--area=B=7", "--share=B=0.5"]
    for kind in ("labels", "legend", "table"):
        options.append(f"--output-{kind}={tmp_path / 'verb' / kind}.csv")
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, (result.output, result.exception)
    for kind in ("legend", "table"):
        own, made = tmp_path / f"{kind}.csv", tmp_path / "verb" / f"{kind}.csv"
        assert made.read_bytes() == own.read_bytes()
    for last, wanted in (
        ("--area=C=x", "--area C x: wanted whole numbers, e.g. 4 or 4,54"),
        ("--area=C", "--area C: wanted NAME=VALUE"),
        ("--share=A=2", "--share A=2: wanted a share above 0 and at most 1"),
        ("--slice=a=l.tif", "--slice a: wanted whole numbers, e.g. 4 or 4,54"),
    ):
        result = CliRunner().invoke(app, [*options, last])
        assert isinstance(result.exception, InputError), result.output
        assert str(result.exception) == wanted
