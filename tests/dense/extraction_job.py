"""A slow extraction in a process of its own, to be killed: folder, seconds a tile."""

import sys
import time
from pathlib import Path

from dense_fakes import narrow_network, trained_of
from extraction_case import CASE, run

from brainarch.dense import extract


def main():
    folder, pause = Path(sys.argv[1]), float(sys.argv[2])
    compute = extract._TileComputer.__call__

    def slow(self, tile):
        time.sleep(pause)
        return compute(self, tile)

    extract._TileComputer.__call__ = slow
    run(trained_of(narrow_network()), folder, **CASE)


if __name__ == "__main__":
    main()
