#!/usr/bin/env bash
# Wall time, peak memory and rates of the full-size layer: bench/layer.sh [npusim binary] [flags of run]
set -euo pipefail
npusim=${1:-./build/release/npusim}
shift || true
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$npusim" run decode-layer --layer-id 0 --preset flash --ep 2 --skip-golden --out "$out" "$@" > /dev/null
python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["simulator"], indent=2))' "$out/summary.json"
