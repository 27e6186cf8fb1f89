"""In which arithmetic a training computes."""

from __future__ import annotations

import pytest
import torch

from brainarch.training.precision import find_precision


@pytest.mark.parametrize("matrix_units", [False, True])
def test_a_processor_computes_in_bfloat16_where_it_has_matrix_units(
    matrix_units: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": matrix_units})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: not matrix_units)
    on_processor, on_gpu = find_precision("auto", "cpu"), find_precision("auto", "auto")
    assert (on_processor == "bfloat16") == matrix_units
    assert (on_gpu == "bfloat16") != matrix_units
    assert find_precision("float32", "cpu") == find_precision("float32", "cuda") == "float32"
