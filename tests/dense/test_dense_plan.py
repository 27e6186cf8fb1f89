from itertools import pairwise

import pytest
from dense_fakes import real_network
from extraction_case import MEMORY_MB

from brainarch.dense.cube import CHUNK
from brainarch.dense.plan import chunk_side, make_plan, read_plan, restrict_rows, write_plan
from brainarch.dense.schedule import STRIDES, derive_schedule
from brainarch.errors import InputError
from brainarch.records import read_record, write_record

SHAPE = (1420, 5805)


@pytest.fixture(scope="module")
def schedule():
    return derive_schedule(real_network().trunk)


@pytest.mark.parametrize("stride", STRIDES)
def test_the_same_question_gets_the_same_plan(schedule, stride):
    plans = [make_plan(schedule, SHAPE, stride, memory_mb=2000, threads=2) for _ in range(2)]
    assert plans[0] == plans[1]
    assert plans[0].memory_mb <= 2000
    assert plans[0].workers <= 2


@pytest.mark.parametrize("stride", STRIDES)
def test_tiles_are_whole_chunks(schedule, stride):
    plan = make_plan(schedule, SHAPE, stride, memory_mb=MEMORY_MB, threads=2)
    assert plan.tile[0] % chunk_side(stride) == plan.tile[1] % chunk_side(stride) == 0
    assert chunk_side(stride) <= CHUNK


def test_the_grid_lies_on_multiples_of_the_stride_within_the_rows(schedule):
    plan = make_plan(schedule, (100, 37), 8, memory_mb=MEMORY_MB, rows=(13, 50))
    assert plan.y.tolist() == [16, 24, 32, 40, 48]
    assert plan.x.tolist() == [0, 8, 16, 24, 32]


def test_the_number_of_workers_is_no_part_of_the_identity(schedule):
    plan = make_plan(schedule, SHAPE, 1, memory_mb=4000, threads=2)
    assert plan.workers == 2
    assert plan.model_copy(update={"workers": 1}).identity == plan.identity
    assert plan.model_copy(update={"tile": (128, 128)}).identity != plan.identity


def test_rows_can_be_restricted_to_some_of_the_plan_s(schedule):
    plan = make_plan(schedule, SHAPE, 4, memory_mb=MEMORY_MB, rows=(100, 300))
    assert restrict_rows(plan, (150, 160)).y.tolist() == [152, 156]
    for rows in ((90, 200), (200, 301), (201, 204), (200, 200)):
        with pytest.raises(InputError):
            restrict_rows(plan, rows)


def test_threads_shorten_the_expected_time(schedule):
    one, two = (make_plan(schedule, SHAPE, 1, memory_mb=4000, threads=t) for t in (1, 2))
    assert two.expected_seconds < one.expected_seconds


def test_more_memory_is_never_slower(schedule):
    expected = [
        make_plan(schedule, SHAPE, 1, memory_mb=memory, threads=8).expected_seconds
        for memory in (1000, 2000, 4000, 8000)
    ]
    assert all(later <= 1.06 * earlier for earlier, later in pairwise(expected))
    assert expected[-1] < expected[0]


def test_a_plan_survives_being_written(schedule, tmp_path):
    plan = make_plan(schedule, SHAPE, 2, memory_mb=MEMORY_MB)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"stride": 3}, "must be one of 1, 2, 4, 8, 16"),
        ({"shape": (0, 10)}, "it is empty"),
        ({"rows": (5, 5)}, "non-empty range within 0:1420"),
        ({"rows": (5, 1421)}, "non-empty range within 0:1420"),
        ({"rows": (-1, 10)}, "non-empty range within 0:1420"),
        ({"stride": 16, "rows": (17, 20)}, "hold no row of the grid"),
        ({"memory_mb": 300}, "the smallest tile needs .* MB; give more memory"),
    ],
)
def test_refusals(schedule, question, reason):
    arguments = {"shape": SHAPE, "stride": 1, "memory_mb": MEMORY_MB, **question}
    with pytest.raises(InputError, match=reason):
        make_plan(schedule, **arguments)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "not there"),
        ("{", "not readable as JSON"),
        ('{"tiles": 3}', "without its SHA-256"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path, content, reason):
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=f"{reason}.*; run `brainarch plan` again"):
        read_plan(path)


def test_unknown_entries_are_refused(schedule, tmp_path):
    write_plan(make_plan(schedule, SHAPE, 2, memory_mb=MEMORY_MB), tmp_path / "plan.json")
    content = read_record(tmp_path / "plan.json")
    write_record(tmp_path / "plan.json", {**content, "overlap": 3})
    with pytest.raises(InputError, match="overlap"):
        read_plan(tmp_path / "plan.json")
