#!/bin/sh
# asl-validator on the state machine as AWS gets it: with the functions' ARNs filled in.
set -eu
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
sed -E 's/\$\{([A-Za-z]+)\}/arn:aws:lambda:us-east-1:123456789012:function:\1:1/g' statemachine/deploy.asl.json \
    >"$out/deploy.asl.json"
node_modules/.bin/asl-validator --json-path "$out/deploy.asl.json"
