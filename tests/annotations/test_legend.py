from __future__ import annotations

import pandas as pd
import pytest

from brainarch.annotations.legend import Area, Legend, make_legend, read_legend, write_legend
from brainarch.errors import InputError
from small_inputs import write_plain


def test_codes_follow_the_order():
    legend = make_legend(["Ctx", "WM_2-b"])
    assert legend.names == ("Ctx", "WM_2-b")
    assert [area.code for area in legend.areas] == [1, 2]
    assert legend.code_of("WM_2-b") == 2
    assert legend.name_of(1) == "Ctx"


def test_as_many_areas_as_codes():
    assert len(make_legend([f"a{i}" for i in range(255)])) == 255
    with pytest.raises(InputError, match="256 areas; at most 255 fit"):
        make_legend([f"a{i}" for i in range(256)])


def test_round_trip(tmp_path):
    legend = make_legend(["Ctx", "NA", "-"])
    path = tmp_path / "it's “l” ü.csv"
    write_legend(legend, path)
    assert read_legend(path) == legend


@pytest.mark.parametrize("name", ["", "a b", "ü", "a/b", "a.b", "a,b", "../a", "a\n"])
def test_malformed_names(name):
    with pytest.raises(InputError) as caught:
        make_legend([name])
    assert str(caught.value) == (
        f"area {name!r}: a name may hold letters A-Z a-z, digits, _ and - only; put what figures "
        "should show into the title"
    )


@pytest.mark.parametrize("name", ["1", "007", "1e5", "nan", "inf", "1_0"])
def test_names_that_a_table_would_read_as_a_number(name):
    with pytest.raises(InputError) as caught:
        make_legend(["Ctx", name])
    assert str(caught.value) == (f"area {name!r}: tables would read a number; put a letter first")


def test_other_mistakes():
    with pytest.raises(InputError, match="area Ctx stands there twice"):
        make_legend(["Ctx", "Ctx"])
    with pytest.raises(InputError, match="area 'all': tables use this word"):
        make_legend(["all"])
    with pytest.raises(InputError, match="names no area"):
        make_legend([])
    with pytest.raises(InputError, match="area 'b': not in the legend, which has a"):
        make_legend(["a"]).code_of("b")
    with pytest.raises(InputError, match=r"codes are \[2\]; wanted 1 to 1"):
        Legend((Area(2, "a"),))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, "columns are ['code', 'name', 'title']"),
        ("", "damaged, or changed"),
        ("code,name\n2,a\n", "damaged, or changed"),
    ],
)
def test_malformed_tables(tmp_path, text, wanted):
    path = tmp_path / "legend.csv"
    if text is None:
        write_plain(pd.DataFrame({"code": [1], "name": ["a"], "title": ["a"]}), path)
    else:
        write_legend(make_legend(["a"]), path)
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_legend(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert wanted in str(caught.value)
    with pytest.raises(InputError, match="no such table"):
        read_legend(tmp_path / "no.csv")
