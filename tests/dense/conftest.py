import pytest
import torch
from dense_fakes import narrow_network, trained_of


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def narrow():
    """Return the narrow network as if it were trained."""
    return trained_of(narrow_network())
