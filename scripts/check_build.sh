#!/bin/sh
# `sam build` without Docker, in a folder of its own. Needs the Lambdas' own Python (3.11), which the SAM environment
# given as the argument has if `make` found it.
set -eu
if [ ! -x "$1/bin/python3.11" ]; then
    echo "sam build is left out: it needs Python 3.11, and make found $("$1/bin/python" --version)." >&2
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if ! PATH="$(cd "$1/bin" && pwd):$PATH" SAM_CLI_TELEMETRY=0 sam build --build-dir "$out/build" --cache-dir "$out/cache" \
    --region us-east-1 >"$out/log" 2>&1; then
    cat "$out/log" >&2
    exit 1
fi
size=$(du -sm "$out/build/SharedLayer" | cut -f 1)
echo "sam build: the layer is $size MB"
# Lambda takes 250 MB of code and layers: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
[ "$size" -lt 250 ]
"$1/bin/python3.11" -m scripts.bytecode "$out/build"
# Last, because it changes what was built: what SAM packs of it publishes new versions where something changed.
BUILT="$out/build" .venv/bin/python -m pytest -q --no-header -p no:cacheprovider tests/unit/test_deploy_with_sam.py -k packs
