"""The state of a training on disk: whole or absent, and checked before it is gone on from."""

from __future__ import annotations

import io
import logging
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from brainarch.atomic import write_bytes

logger = logging.getLogger(__name__)

#: Names of the states that a training keeps, without their ending: Lightning adds it.
LAST, BEST = "last", "best"
#: What reading a damaged archive raises.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # NotImplementedError among them
)


class WholeStates(TorchCheckpointIO):
    """Writes a state in one step, on the disk where it will lie.

    Lightning writes it into the system's temporary folder and moves it, which between two disks is
    a copy that a kill cuts short, and leaves the first behind.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a state."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_bytes(Path(path), content.getbuffer())


def keep_last(folder: Path) -> ModelCheckpoint:
    """Return what writes the state after every epoch; it goes after what writes the best one.

    Lightning's ``save_last`` writes only after epochs that are kept anyway, such as better ones.
    """
    return ModelCheckpoint(
        dirpath=folder,
        filename=LAST,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )


def find_state(folder: Path, *, with_best: bool) -> Path | None:
    """Return the state that a training goes on from, or None: it begins.

    That is the last one; where it is damaged, the best one, which is an earlier epoch's, so that
    the epochs since are repeated. A damaged state is told in one line.

    Parameters
    ----------
    folder : Path
    with_best : bool
        Whether the training keeps its best state too, and needs it in the end.
    """
    last, best = (folder / f"{name}.ckpt" for name in (LAST, BEST))
    there = [path for path in (last, best) if path.exists()]
    sound = [path for path in there if _is_sound(path)]
    if last in sound and (best in sound or not with_best):
        return last
    found = best if best in sound else None
    damaged = [path for path in there if path not in sound]
    if damaged:
        then = "begins again" if found is None else "goes on from its best state before that"
        logger.warning("%s: damaged or cut short; the training %s", damaged[0], then)
    return found


def _is_sound(path: Path) -> bool:
    """Return whether all that an archive of torch holds has its checksum; torch does not look."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except DAMAGE:
        return False
