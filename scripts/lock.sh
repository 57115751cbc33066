#!/bin/sh
# Writes every lock file anew from its .in file, each larger set on top of the pins of the smaller one:
#
#     scripts/lock.sh .venv-tools/lock
#
# The result is good for Python 3.11 to 3.13 on x86_64 and aarch64: nothing required here differs between them
# (tests/unit/test_lock_files.py looks), and the hashes cover every file of a release. Registry addresses are
# the machine's business, not the repository's, so none are written.
# UPGRADE=1 in the environment takes newer versions.
set -eu
# The layer is built for Python 3.11, and the lowest version asks for the most packages.
version=$("$1/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$version" != "3.11" ]; then
    echo "Lock files are made with Python 3.11; $1 has $version. Try: rm -rf $1; make PYTHON=python3.11 lock" >&2
    exit 1
fi
compile() {
    "$1/bin/python" -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host ${UPGRADE:+--upgrade} \
        ${4:+-c "$4"} -o "$3" "$2"
}
compile "$1" lambdas/shared/requirements.in lambdas/shared/requirements.txt
compile "$1" requirements/local.in requirements/local.txt lambdas/shared/requirements.txt
compile "$1" requirements/test.in requirements/test.txt requirements/local.txt
compile "$1" requirements/dev.in requirements/dev.txt requirements/test.txt
for source in requirements/tool-*.in; do
    compile "$1" "$source" "${source%.in}.txt"
done
if command -v npm >/dev/null; then npm install --package-lock-only --ignore-scripts --no-audit --no-fund; fi
