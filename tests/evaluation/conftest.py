from __future__ import annotations

import pytest
import torch

from small_inputs import write_inputs


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def files(tmp_path):
    """A small volume of slices 5 and 6, a network, a legend and a patch table."""
    write_inputs(tmp_path)
    return tmp_path
