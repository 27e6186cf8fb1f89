"""The authors' published weights (A) as a network of ours, without running code from their file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from brainarch.errors import InputError
from brainarch.network.architecture import AuthorsNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, load_network, save_network
from brainarch.network.weights_files import UnreadableWeightsError, read_tensors

#: What each of the authors' layers is called here.
LAYERS = {f"conv{i}": f"trunk.conv{i}" for i in range(1, 5)}
LAYERS |= {"fc1": "trunk.fc1", "fc2": "trunk.fc2", "fc3": "head"}


def import_weights(
    source: Path, output: Path, areas: Sequence[str], pixel_um: float, dtype: str
) -> None:
    """Write a file of the authors' weights as a network that patches can be named with.

    Parameters
    ----------
    source : Path
        A state saved by torch (``.pt``, ``.pth``; only tensors are read) or safetensors.
    output : Path
        Network to write.
    areas : sequence of str
        Names of the areas, in the order of the file's outputs.
    pixel_um : float
        Side of the voxels that it was trained on, in micrometer.
    dtype : {"uint8", "uint16"}
        Their grey values.

    Raises
    ------
    InputError
        If the file is missing, cannot be read without running code, or does not hold the layers.
    """
    if len(set(areas)) != len(areas) or len(areas) < 2:
        raise InputError(f"--areas {','.join(areas)}: wanted two or more different names")
    tensors = _converted(_read(source), source)
    if len(tensors["head.bias"]) != len(areas):
        raise InputError(
            f"{source}: has {len(tensors['head.bias'])} outputs, but --areas names {len(areas)}"
        )
    network = AuthorsNetwork(len(areas))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{source}: its layers are not the authors' ({reason})") from None
    training = {"imported": source.name}
    normalisation = Normalisation(0.0, 1.0)
    trained = TrainedNetwork(network.eval(), tuple(areas), normalisation, pixel_um, dtype, training)
    save_network(trained, output)


def take_network(*, weights: Path, network: Path, areas: Sequence[str]) -> None:
    """Take an imported network into a run, its outputs in the order of the run's areas.

    Parameters
    ----------
    weights, network : Path
        What `import_weights` wrote, and the run's copy to write.
    areas : sequence of str
        The run's areas in the order of their codes.

    Raises
    ------
    InputError
        If the file is no such network, or names other areas.
    """
    trained = load_network(weights)
    if not isinstance(trained.network, AuthorsNetwork):
        raise InputError(
            f"{weights}: not the authors' network; make it with `brainarch import-weights`"
        )
    if set(trained.areas) != set(areas):
        raise InputError(
            f"{weights}: names {', '.join(trained.areas)}, but this run has {', '.join(areas)}; "
            "import the weights again with --areas by these names"
        )
    order = [trained.areas.index(area) for area in areas]
    head = trained.network.head
    with torch.no_grad():
        head.weight.copy_(head.weight[order].clone())
        head.bias.copy_(head.bias[order].clone())
    save_network(
        TrainedNetwork(
            trained.network,
            tuple(areas),
            trained.normalisation,
            trained.pixel_um,
            trained.dtype,
            trained.training,
        ),
        network,
    )


def _read(source: Path) -> Mapping[str, torch.Tensor]:
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    try:
        found = read_tensors(source)
    except UnreadableWeightsError as error:
        raise InputError(
            f"{source}: no weights that can be read without running code from the file ({error}); "
            "save the state (names and tensors) alone"
        ) from None
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in found.items()
    ):
        raise InputError(f"{source}: holds more than names and tensors; save the state alone")
    return found


def _converted(found: Mapping[str, torch.Tensor], source: Path) -> dict[str, torch.Tensor]:
    """Rename the layers and sum the three input channels, which all see the same grey values."""
    wanted = {f"{name}.{part}": new for name, new in LAYERS.items() for part in ("weight", "bias")}
    if set(found) != set(wanted):
        odd = sorted(set(found) ^ set(wanted))[0]
        what = "lacks" if odd in wanted else "has a layer too many,"
        raise InputError(f"{source}: {what} {odd}; wanted {', '.join(LAYERS)}")
    renamed = {
        f"{new}.{name.rpartition('.')[2]}": found[name].float() for name, new in wanted.items()
    }
    first = renamed["trunk.conv1.weight"]
    renamed["trunk.conv1.weight"] = first.sum(dim=1, keepdim=True) if first.ndim == 4 else first
    return renamed
