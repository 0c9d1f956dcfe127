#!/bin/bash
# Spark's GPU discovery script: the GPUs of this container, as Spark reads them. FIRESTEEL_PRETENDED_GPUS is how many to claim
# where there are none, for tests.
set -euo pipefail

if command -v nvidia-smi >/dev/null; then
    found=$(nvidia-smi --query-gpu=index --format=csv,noheader)
else
    pretended=${FIRESTEEL_PRETENDED_GPUS:-0}
    found=$([ "$pretended" -eq 0 ] || seq 0 $((pretended - 1)))
fi
addresses=$(printf '%s' "$found" | sed 's/.*/"&"/' | paste -sd,)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
