#!/bin/bash
# What Kubernetes runs before it ends an executor's container: tells the executor to move its blocks elsewhere, and waits until
# it has ended. The pod's grace period bounds the wait.
set -euo pipefail

for process in /proc/[0-9]*; do
    # Process 1 is tini, and Python workers are not java.
    [ "$(cat "$process/comm" 2>/dev/null)" = java ] || continue
    kill -s PWR "${process#/proc/}"
    timeout "${1:-60}" tail --pid="${process#/proc/}" -f /dev/null || true
done
