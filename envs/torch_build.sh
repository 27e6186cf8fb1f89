#!/bin/sh
# Print pip's options for a build of PyTorch, nothing for pip's own choice, and say why it is that one.
#   torch_build.sh "" | cpu | cuda  [python]
# Without a wish it is the CPU's where no NVIDIA driver is at hand: pip's own choice on Linux brings gigabytes of CUDA.
set -eu
index=https://download.pytorch.org/whl
case "${1-}" in
cpu) echo "--index-url $index/cpu" && exit ;;
cuda) echo "--index-url $index/cu130" && exit ;;
"") ;;
*) echo "TORCH=$1 is not known; say TORCH=cpu or TORCH=cuda" >&2 && exit 2 ;;
esac
if [ "$(uname -s)" != Linux ] || command -v nvidia-smi >/dev/null || [ -e /proc/driver/nvidia/version ]; then
    exit
fi
ask="import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)"
if timeout 5 "${2-python3}" -c "$ask" "$index/cpu/torch/" 2>/dev/null; then
    echo "no NVIDIA driver at hand: PyTorch's build for the CPU (make TORCH=cuda takes the other)" >&2
    echo "--index-url $index/cpu"
else
    echo "no NVIDIA driver at hand, but $index does not answer: pip's own PyTorch, with gigabytes of CUDA packages" >&2
fi
