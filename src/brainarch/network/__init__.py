"""The network, its checkpoints and the grey values it reads."""
