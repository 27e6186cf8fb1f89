#!/usr/bin/env bash
# Runs once after the environment is made: installs the package from the working directory, which is
# the repository when snakemake is started there.
set -euo pipefail
python -m pip install --no-deps --no-build-isolation .
