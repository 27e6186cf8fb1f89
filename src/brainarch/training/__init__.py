"""Training the network on sampled patches."""

import importlib.util

if importlib.util.find_spec("torchvision") is not None:
    # before the first module of this room imports Lightning
    from brainarch.network.beside_torchvision import mend_torchvision

    mend_torchvision()
