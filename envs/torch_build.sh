#!/bin/sh
# Print pip's options for a build of PyTorch, nothing for pip's own choice, and say why it is that one.
#   torch_build.sh ""|cpu|cuda [python]
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
version=$(sed -n 's/^torch==//p' "$(dirname "$0")/../requirements.lock")
versions() { timeout 10 "${2-python3}" -m pip index versions torch --index-url "$index/cpu" --timeout 5 --retries 0 2>/dev/null; }
if versions "$@" | grep -qF "$version"; then
    echo "no NVIDIA driver at hand: PyTorch's build for the CPU (make TORCH=cuda takes the other)" >&2
    echo "--index-url $index/cpu"
else
    echo "no NVIDIA driver at hand, but $index/cpu does not have it: pip's own PyTorch, with gigabytes of CUDA packages" >&2
fi
