from __future__ import annotations

import json
from html.parser import HTMLParser

import pandas as pd
import pytest
import report_fakes as fakes

from brainarch.errors import InputError
from brainarch.figures.catalogue import FIGURES
from brainarch.reporting import pictures, published, reproduction, runtime
from brainarch.reporting.manifest import Manifest

#: Figures of DESIGN, section 4, as they may be printed.
PUBLISHED_TEXTS = ("89.77", "88.88", "0.28", "0.56", "0.72", "78 to 85", "5 million", "Inception")


class Page(HTMLParser):
    """Collects text, addresses and open tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.addresses, self.open, self.tags = "", [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


def make(root, source="phantom", without=(), **changes):
    files = fakes.results(root)
    kept = {key: path for key, path in files.items() if key.split("/")[0] not in without}
    return fakes.report(root, kept, fakes.config(source, **changes))


def test_a_phantoms_summary_shows_no_published_figure(tmp_path):
    text, record = make(tmp_path)
    everything = Page(text).text + json.dumps(record)
    assert "published" not in everything.lower()
    for figure in PUBLISHED_TEXTS:
        assert figure not in everything, figure


def test_a_volume_of_ones_own_shows_none_either(tmp_path):
    text, record = make(tmp_path, "tiff", without=("phantom",))
    everything = Page(text).text + json.dumps(record)
    assert "published" not in everything.lower()


def test_the_published_volume_is_shown_beside_its_figures(tmp_path):
    text, record = make(tmp_path, "prasad2020", without=("phantom",))
    page = Page(text).text
    for figure in ("89.77 %", "88.88 %", "80 %", "in cases slightly above"):
        assert figure in page, figure
    assert "The splits are the papers' slices" in record["comparison_note"]
    table = pd.read_csv(tmp_path / "out" / "reproduction.csv").set_index("quantity")
    test = table.loc["accuracy, test patches"]
    assert (test["published"], test["published_value"]) == ("88.88 %", pytest.approx(0.8888))
    assert (test["ours"], test["low"], test["high"]) == (0.86, 0.81, 0.9)
    assert test["difference"] == pytest.approx(0.86 - 0.8888)
    assert str(test["inside"]) == "True"
    assert test["data"] == "tiny, z=259"
    assert "preset robust" in test["differs"]
    assert str(table.loc["accuracy, val patches", "inside"]) == "True"
    assert table.loc["accuracy at scale", "ours"] == 0.79
    assert table.loc["block error, cnn", "ours"] == 0.41
    assert str(table.loc["block error, cnn", "inside"]) == "False"
    assert table.loc["dense pixels of the test slice", "ours"] == 1000
    above = table.loc["logistic regression minus the CNN itself, accuracy"]
    assert (above["ours"], above["low"]) == (pytest.approx(0.3), 0.2)
    assert len(record["reproduction"]) == len(table)


def test_what_the_papers_have_and_a_run_has_not_is_said(tmp_path):
    make(tmp_path, "prasad2020", without=("phantom", "matches"), discovery=None, layers=None)
    table = pd.read_csv(tmp_path / "out" / "reproduction.csv").set_index("quantity")
    lacking = table[table["ours"].isna()]["differs"]
    assert lacking["block error, resnet18"] == "no such network is compared"
    no_area = "the config names no area to subdivide"
    assert lacking["share of component 2 in L4"].startswith(no_area)
    assert lacking["human raters on six-area identification"] == "not measured: people"
    assert table["differs"].notna().all()


def test_components_are_numbered_as_the_published_ones(tmp_path):
    """Ours 1 to 4 are the published 3, 1, 4, 2, shuffled by hand."""
    shares = {
        1: {"L2/3": 0.6, "L4": 0.1, "L5": 0.2, "L6": 0.1},
        2: {"L2/3": 0.1, "L4": 0.1, "L5": 0.3, "L6": 0.5},
        3: {"L2/3": 0.1, "L4": 0.1, "L5": 0.7, "L6": 0.1},
        4: {"L2/3": 0.2, "L4": 0.6, "L5": 0.1, "L6": 0.1},
    }
    frame = pd.DataFrame(
        [
            {"subdivision": component, "by": "layer", "name": layer, "share": share}
            for component, profile in shares.items()
            for layer, share in profile.items()
        ]
    )
    found = {n.key: (n.value, n.note) for n in reproduction.profile_numbers(frame)}
    assert found == {
        "profile/1/L5": (0.3, "component 2 of ours"),
        "profile/1/L6": (0.5, "component 2 of ours"),
        "profile/2/L4": (0.6, "component 4 of ours"),
        "profile/3/L2/3": (0.6, "component 1 of ours"),
        "profile/4/L5": (0.7, "component 3 of ours"),
    }
    assert reproduction.profile_numbers(frame[frame["name"] != "L4"]) == []


def test_another_split_of_the_published_volume_is_no_reproduction(tmp_path):
    splits = {"by": "slices", "train": [159], "val": [209], "test": [279]}
    text, _ = make(tmp_path, "prasad2020", without=("phantom",), splits=splits)
    assert "not a reproduction" in Page(text).text


@pytest.mark.parametrize("source", ["phantom", "tiff"])
def test_published_figures_are_given_for_one_source_only(source):
    assert published.published_figures(source) == ()
    assert published.comparison_note(source, published.SPLITS) is None


def test_published_figures_are_those_of_the_design():
    figures = {figure.key: figure for figure in published.published_figures("prasad2020")}
    percents = {
        "accuracy/val": "89.77",
        "accuracy/test": "88.88",
        "accuracy/map": "80",
        "recall/Ctx": "87",
        "recall/HypoTh": "92",
        "recall/Str": "91",
        "recall/VP": "91",
        "recall/WM": "86",
        "recall/ZI": "84",
    }
    for key, percent in percents.items():
        assert figures[key].value == f"{percent} %"
        assert figures[key].number == pytest.approx(float(percent) / 100)
    errors = {"cnn": "0.28", "inception": "0.56", "resnet18": "0.72"}
    for network, value in errors.items():
        assert figures[f"block_error/{network}"].value == value


def test_the_page_needs_nothing_but_itself(tmp_path):
    text, _ = make(tmp_path)
    page = Page(text)
    assert page.open == []
    own = ("data:image/png;base64,", "#")
    # links for a click, nothing that it shows
    pictures = {f"../figures/maps_z0{z}.png" for z in (259, 300)}
    drawn = [figure.name for figure in FIGURES if f'<figure id="{figure.name}">' in text]
    files = {f"../figures/{name}.{kind}" for name in drawn for kind in ("pdf", "csv")}
    others = {one for one in page.addresses if not one.startswith(own)}
    assert others == {"explore.html"} | pictures | files
    assert drawn
    assert {f"#{name}" for name in drawn} <= set(page.addresses), "a small picture opens it"
    assert "script" not in page.tags
    assert "@import" not in text
    assert "url(" not in text
    assert len(text.encode()) < 3_000_000


def test_display_names_are_escaped(tmp_path):
    text, record = make(tmp_path)
    assert "<script>" not in text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; more" in text
    assert "<i>Ctx</i>" not in text
    assert record["title"] == 'A <script>alert("x")</script> & more'


def test_verdicts_stand_in_both_files(tmp_path):
    text, record = make(tmp_path)
    answers = {entry["question"]: entry["answer"] for entry in record["verdicts"]}
    assert answers == {
        "Is every labelled pixel accounted for?": "yes",
        "Is the dense representation exact?": "yes",
        "Does the network tell areas apart on patches it was not trained on?": "yes",
        "Does the control with permuted labels end at chance?": "yes",
        "Are nonsense areas, parts of one area, named at chance only?": "not tested",
        "Do classifiers read areas better from the trained network than from the others?": "yes",
        "Do clusters, found without labels, follow areas better after training?": "yes",
        "Do factors stand for areas on a slice that they were not fitted on?": "partly",
        "Do clusters found without labels agree with annotated layers?": "yes",
        "Do components found without labels agree with annotated layers?": "no",
        "Are the components found again on another slice?": "yes",
    }
    page = Page(text).text
    for question in answers:
        assert question in page


def test_numbers_carry_their_intervals_and_counts(tmp_path):
    text, record = make(tmp_path)
    by_name = {entry["name"]: entry for entry in record["numbers"]}
    own = by_name["accuracy, test patches"]
    assert (own["value"], own["low"], own["high"]) == (0.86, 0.81, 0.9)
    assert own["note"] == "600 patches, 40 independent, 12 blocks"
    assert by_name["relative error, slice z=279 (basis held)"]["low"] is None
    assert by_name["accuracy, test patches, run permuted"]["value"] == 0.18
    page = Page(text).text
    assert "0.81 to 0.90" in page
    assert "0.200 to 0.400" in page  # a paired difference
    assert "3 blocks: none" in page
    copied = "accuracy of the training slice's annotation copied to the same pixel, test patches"
    assert by_name[copied]["value"] == 0.98
    assert "about appearance alone" in page
    assert "stands beside every accuracy" in page


def test_cost_versions_and_data_are_told(tmp_path):
    text, record = make(tmp_path)
    assert record["costs"] == [
        {"stage": "train-main", "seconds": 75.5, "peak_mb": 812.25, "cpu_seconds": 140.0}
    ]
    assert record["versions"]["python"].count(".") == 2
    assert record["seed"] == 2020
    page = Page(text).text
    assert "1 min 16 s" in page
    assert "300 x 400 x 500 voxels" in page
    assert "maps that know nothing, for each null" in page
    assert record["patches"]["rows"][0] == ["main", "Ctx", "300 (5)", "300 (5)", "300 (5)"]
    assert record["areas"]["rows"][5][:2] == ["WM", "0.001 mm² (5)"]


def test_figures_are_shown_with_the_catalogues_caption(tmp_path):
    page = Page(make(tmp_path)[0]).text
    figure = next(figure for figure in FIGURES if figure.name == "V3_scale")
    assert f"V3 {figure.title.capitalize()}" in page
    assert figure.caption in page


def test_every_extracted_slice_has_a_line_annotated_or_not(tmp_path):
    text, record = make(tmp_path)
    assert ["259", "beyond 64 px of every border", "4,000", "0.97", "", ""] in record["rim"]
    assert "beyond 64 px of every border</i>" in text
    one, other = record["maps"]
    assert (one["slice"], one["annotated"], one["confidence"]) == (259, "yes", 0.75)
    assert (other["slice"], other["annotated"]) == (300, "no: nothing to judge it by")
    assert other["pixels"] == 600
    assert other["largest"].startswith("Ctx ")
    assert 0.5 < other["unusual"] < 0.7  # the first area, and only that, is beyond the threshold
    for z in (259, 300):
        assert f'href="../figures/maps_z0{z}.png"' in text


def test_a_run_with_almost_nothing_still_has_a_summary(tmp_path):
    bare = fakes.config(layers=None, discovery=None, extraction={"slices": [259]})
    text, record = fakes.report(tmp_path, {}, bare, timed=False)
    assert {entry["answer"] for entry in record["verdicts"]} == {"not tested"}
    why = {entry["what"]: entry["why"] for entry in record["missing"]}
    assert "the user's input" in why["agreement with layers, layer factors"]
    assert "fewer than two labelled" in why["held-out factors, components found again"]
    assert why["figure V6_clusters (clusters inside one area)"] == (
        "the config names no area to subdivide"
    )
    assert why["figure V1_overview (the method from data)"] == "it was not drawn"
    page = Page(text)
    assert page.open == []
    assert "No figure was drawn." in page.text
    assert "No stage was timed." in page.text


@pytest.mark.parametrize("key", ["metrics/main", "plan/4", "pictures"])
def test_an_unknown_kind_of_file_is_refused(tmp_path, key):
    with pytest.raises(ValueError, match="no such kind of file"):
        Manifest({key: tmp_path})


def test_a_wrong_config_is_one_line(tmp_path):
    with pytest.raises(InputError, match="config: ") as raised:
        fakes.report(tmp_path, {}, {"dataset": "a b"}, timed=False)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", ["nonsense", "[1]"])
def test_a_broken_record_is_named(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"plan\.json: .*or the stage that writes it"):
        Manifest({"plan": path}).record("plan")


def test_pictures_stay_within_the_budget_and_are_not_enlarged(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "WIDTH", 400)
    monkeypatch.setattr(pictures, "LEAST_WIDTH", 100)
    paths = {
        "large": tmp_path / "large.png",
        "small": tmp_path / "small.png",
    }
    fakes.picture(paths["large"], 640, 480)
    fakes.picture(paths["small"], 160, 80)
    whole = pictures.embed_pictures(paths, 50_000_000)
    assert pictures_width(whole["large"]) == 400
    assert pictures_width(whole["small"]) == 160
    budget = sum(map(len, whole.values())) // 3
    less = pictures.embed_pictures(paths, budget)
    assert sum(map(len, less.values())) <= budget
    with pytest.raises(InputError, match="do not fit"):
        pictures.embed_pictures(paths, 100)


def pictures_width(address: str) -> int:
    import base64
    import io

    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as picture:
        return picture.width


def test_a_broken_picture_is_named(tmp_path):
    path = tmp_path / "V1.png"
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"V1\.png: not a readable picture"):
        pictures.embed_pictures({"V1": path}, 1000)


def test_benchmarks_that_could_not_be_measured(tmp_path):
    path = tmp_path / "b.tsv"
    path.write_text("s\th:m:s\tmax_rss\tcpu_time\n0.4\t0:00:00\t-\t0\n0.6\t0:00:00\tNA\t0\n")
    cost = runtime.read_benchmark("plan", path)
    assert cost.seconds == pytest.approx(1.0)
    assert cost.peak_mb != cost.peak_mb  # NaN
    path.write_text("nonsense\n")
    with pytest.raises(InputError, match="no Snakemake benchmark"):
        runtime.read_benchmark("plan", path)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.4 s"),
        (42.4, "42 s"),
        (75.5, "1 min 16 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_read_well(seconds, text):
    assert runtime.duration(seconds) == text
