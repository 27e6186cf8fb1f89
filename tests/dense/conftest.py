import pytest
import torch
from dense_fakes import checkpoint_of, narrow_network


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def narrow():
    """Return a checkpoint of the narrow network."""
    return checkpoint_of(narrow_network())
