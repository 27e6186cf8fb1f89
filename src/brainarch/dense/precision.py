"""Which arithmetic an extraction uses, and how far from exact it may then be.

``float32`` is exact as DESIGN.md section 3 defines it. The other two trade digits for speed: they
round the factors of convolutions and large products to 8 (bfloat16) or 11 (tf32) significant bits
and add up in float32. What they lose is measured on every cube and stored with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from brainarch.errors import InputError

Precision = Literal["float32", "bfloat16", "tf32"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class Bound:
    """How far representations may be from those of windows run alone.

    Parameters
    ----------
    max : float
        Largest difference, as a share of the largest reference value.
    norm : float
        Norm of the difference, as a share of the reference's.
    """

    max: float
    norm: float


#: float32: the definition of exact (DESIGN.md section 3). The others only catch what is broken
#: (ours): what rounding costs a given network is measured, not promised.
BOUNDS: dict[Precision, Bound] = {
    "float32": Bound(max=1e-5, norm=2e-6),
    "tf32": Bound(max=2e-2, norm=1e-2),
    "bfloat16": Bound(max=1e-1, norm=5e-2),
}


def known_precision(name: str) -> Precision:
    """Return a precision by its name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    for known in PRECISIONS:
        if known == name:
            return known
    raise InputError(f"precision {name}: must be one of {', '.join(PRECISIONS)}")


def factor_dtype(precision: Precision) -> torch.dtype:
    """Return the dtype in which the factors of convolutions and large products are held."""
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def require_device(precision: Precision, device: torch.device) -> None:
    """Raise `InputError` if a device has no such arithmetic."""
    if precision == "tf32" and device.type != "cuda":
        raise InputError(
            "precision tf32: only a GPU rounds to it, and the device is the CPU; "
            "use float32 or bfloat16, or device cuda"
        )


def set_arithmetic(precision: Precision) -> None:
    """Let a GPU round float32 factors only if that was asked for, the same way every time."""
    rounded = precision == "tf32"
    _set_gpu(rounded, rounded, deterministic=True, benchmark=False)


@contextmanager
def arithmetic(precision: Precision) -> Iterator[None]:
    """Do as `set_arithmetic`, and put things back at the end."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    set_arithmetic(precision)
    try:
        yield
    finally:
        _set_gpu(*before)


def _set_gpu(products: bool, convolutions: bool, deterministic: bool, benchmark: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = products
    torch.backends.cudnn.allow_tf32 = convolutions
    torch.backends.cudnn.deterministic = deterministic
    torch.backends.cudnn.benchmark = benchmark
