#!/usr/bin/env bash
# Runs the tests of the repository in $SOURCE the way it does itself: `make test`, else `npm test`, else pytest. Leaves
# `tests=none` in $GITHUB_OUTPUT where it finds none.
#
# The job has no environment, no secret and no right to an OIDC token. Where somebody calls this from a job that has, what
# the repository runs gets no way to ask for the token.
set -euo pipefail
unset ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL
cd "$SOURCE"

# Isolated (-I): python3 would import modules from this folder. A file that cannot be read ends the step.
has_npm_test() {
    local found
    found=$(python3 -I -c 'import json; print("test" in json.load(open("package.json")).get("scripts", {}))') || {
        echo "::error title=Tests::package.json cannot be read, so whether it has tests is not known."
        exit 1
    }
    [[ $found == True ]]
}

if [[ -f Makefile ]] && grep -Eq '^test[[:space:]]*:' Makefile; then
    echo "Tests: make test"
    make test
elif [[ -f package.json ]] && has_npm_test; then
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
    echo "tests=none" >>"$GITHUB_OUTPUT"
    echo "::warning title=No tests::Neither a Makefile with 'test', nor an npm test script, nor pytest tests were found."
fi
