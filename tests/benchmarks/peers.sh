#!/usr/bin/env bash
# An environment of its own for the peers of native.py, with this library as it stands here.
#   tests/benchmarks/peers.sh [FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-.venv-peers}
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/pip" install -q -r "$here/peers.txt" -e "$here/../.."
