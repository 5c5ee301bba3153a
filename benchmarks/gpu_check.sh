#!/bin/sh
# Everything that needs a GPU, in at most eight minutes: the tests marked "gpu", one pass of the
# paper's autoencoder at the paper's size, the best item for 1,000 profiles.
#
#     benchmarks/gpu_check.sh [FOLDER]        # results: FOLDER, default benchmarks/results
#
# Needs a CUDA device and a Python (PYTHON=...) with torch 2.11 or newer, numpy, scipy, safetensors,
# numba, pytest and hypothesis; not Django. Without pytest the tests are left out, with a message.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
out=${1:-benchmarks/results}
mkdir -p "$out"
PYTHONPATH=$PWD; export PYTHONPATH

"$python" -c 'import sys, torch; sys.exit(0 if torch.cuda.is_available() else "No CUDA device.")'
failed=0
if "$python" -c 'import pytest, hypothesis, numba' 2>/dev/null; then
  timeout 150 "$python" -m pytest -q -m gpu --confcutdir=tests/recommender/core \
    -p no:cacheprovider tests/recommender/core/algorithms >"$out/gpu_tests.txt" 2>&1 || failed=$?
  tail -n 3 "$out/gpu_tests.txt"
else
  echo "pytest, hypothesis or numba is missing: the tests are left out."
fi
timeout 300 "$python" benchmarks/gpu_full_scale.py --limit 180 --out "$out/gpu_full_scale.json"
exit "$failed"
