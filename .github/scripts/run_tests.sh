#!/usr/bin/env bash
# Runs the tests of the repository in $SOURCE the way it does itself: `make test`, else `npm test`, else pytest.
#
# What the repository runs gets no way to ask GitHub for this job's token, which AWS's role trusts.
set -euo pipefail
unset ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL
cd "$SOURCE"

if [[ -f Makefile ]] && grep -Eq '^test[[:space:]]*:' Makefile; then
    echo "Tests: make test"
    make test
elif [[ -f package.json ]] && python3 -c 'import json, sys; sys.exit("test" not in json.load(open("package.json")).get("scripts", {}))'; then
    echo "Tests: npm test"
    if [[ -f package-lock.json ]]; then npm ci; else npm install; fi
    npm test
elif [[ -f pytest.ini || -f tox.ini || -f conftest.py || -d tests ]] && compgen -G "*.toml" "*.ini" "*.cfg" "requirements*.txt" "tests/*.py" >/dev/null; then
    echo "Tests: pytest"
    python3 -m venv "${RUNNER_TEMP:?}/tests"
    "$RUNNER_TEMP/tests/bin/pip" install --quiet pytest
    for requirements in requirements.txt requirements-dev.txt; do
        if [[ -f $requirements ]]; then "$RUNNER_TEMP/tests/bin/pip" install --quiet -r "$requirements"; fi
    done
    if [[ -f pyproject.toml ]] && grep -q '^\[build-system\]' pyproject.toml; then
        "$RUNNER_TEMP/tests/bin/pip" install --quiet .
    fi
    "$RUNNER_TEMP/tests/bin/python" -m pytest
else
    echo "::warning title=No tests::Neither a Makefile with 'test', nor an npm test script, nor pytest tests were found."
fi
