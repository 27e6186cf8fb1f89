"""Everything planted has a row; what is not looked for says so."""

from __future__ import annotations

import pandas as pd
import report_fakes as fakes

from brainarch.evaluation.lesions import LESION_COLUMNS
from brainarch.microstructure.recovery import PLANTED_COLUMNS
from brainarch.reporting.planted import HEAD, NOT_LOOKED_FOR, planted_rows


def test_every_planted_thing_has_a_row() -> None:
    looked = {"planted": "vessels", "where": "Ctx", "contrast": "more from less", "slice": 279}
    found = looked | {"factor": 3, "auroc_fitted": 0.8, "auroc": 0.7, "null_99": 0.75, "p": 0.02}
    none = looked | {"planted": "barrels", "note": "there is none"}
    ill = {"planted": "cells removed", "where": "Ctx", "slice": 301, "score": "likelihood"}
    told = ill | {"decides": True, "auroc": 0.9, "before": 0.5, "null_99": 0.8, "p": 0.005}
    rows = planted_rows(
        test=fakes.metrics(0.8, 0.7, 0.9, recall=0.7),
        chance=1 / 6,
        chosen=fakes.chosen((0.9, 0.7, 0.95)),
        agreements={("clusters", 279): fakes.agreement(0.3, 0.2)},
        planted=fakes.table(PLANTED_COLUMNS, [found | {"above_null": False}, none]),
        lesions=fakes.table(
            LESION_COLUMNS,
            [
                told | {"above_null": True},
                told | {"where": "VP", "note": "only 20 discs differ"},
                told | {"where": "ZI", "decides": False},
                ill | {"where": "WM", "decides": True, "note": "no room"},
            ],
        ),
    )
    assert all(len(row) == len(HEAD) for row in rows)
    told = {(row[0], row[1].split(",")[0]): row for row in rows}
    assert told["area Ctx", "test patches"][2:] == ["recall 0.70", "chance 0.17", "yes"]
    assert told["area Ctx", "factor 1"][2:] == [
        "AUROC 0.90",
        "fields like it, 99 %: 0.80; p = 0.005",
        "yes",
    ]
    assert told["area Str", "factor 2"][-1] == "no"
    assert told["area VP", "factor 3"][-1] == "yes"
    assert told["all layers", "clusters"][-1] == "yes"
    assert told["vessels", "more from less"][2:] == [
        "factor 3, AUROC 0.70",
        "fields like it, 99 %: 0.75; p = 0.020",
        "no",
    ]
    assert told["barrels", "more from less"][2:] == ["not looked for", "there is none", ""]
    lesions = {row[1]: row for row in rows if row[0] == "cells removed in a disc"}
    assert set(lesions) == {f"{name}, slice z=301" for name in ("Ctx", "VP", "WM")}
    assert lesions["Ctx, slice z=301"][2:] == [
        "AUROC 0.90; without the lesion 0.50",
        "healthy discs, 99 %: 0.80; p = 0.005",
        "yes",
    ]
    assert lesions["VP, slice z=301"][-1] == "undecided: only 20 discs differ"
    assert lesions["WM, slice z=301"][2:] == ["not looked for", "no room", ""]
    assert set(NOT_LOOKED_FOR) <= {row[0] for row in rows}
    assert planted_rows(test=None, chance=0.5, chosen=None, agreements={}, planted=None)


def test_an_interval_below_chance_is_no_finding() -> None:
    test = fakes.metrics(0.5, 0.4, 0.6, recall=0.3).assign(low=0.1)
    rows = planted_rows(
        test=pd.DataFrame(test), chance=1 / 6, chosen=None, agreements={}, planted=None
    )
    assert rows[0][-1] == "no"
