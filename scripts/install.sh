#!/bin/sh
# Makes a virtual environment and installs pinned packages into it:
#
#     scripts/install.sh .venv requirements/local.txt
#
# Runs on a machine that has nothing but Python. Packages come by hash and without resolving, since the lock
# files are complete. No pip is put into the environment: the one bundled with Python does the work, which
# saves the seconds that installing pip would take. Bytecode is left to the first import for the same reason.
set -eu

venv=$1
lock=$2

python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$(${PYTHON:-python3} --version 2>&1) || found="no python3"
    echo "Python 3.11 or newer is needed; found: $found. On Debian 12 and Ubuntu 24.04: apt install python3 python3-venv." >&2
    echo "If a newer one has another name, say so: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
fi

pip=$("$python" - <<'PY' || true
import glob, os
try:
    import ensurepip, venv
except ImportError:
    raise SystemExit
# Debian's own Python keeps its wheels elsewhere; those may be too old for another Python on the same machine.
for folder in (os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), "/usr/share/python-wheels"):
    wheels = sorted(glob.glob(os.path.join(folder, "pip-*.whl")))
    if wheels:
        print(wheels[-1])
        break
PY
)
if [ -z "$pip" ]; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2
    echo "(for a Python beside the system's own: python$version-venv), then run the same command again." >&2
    exit 1
fi

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv"
fi
echo "Installing $lock into $venv ..." >&2
"$venv/bin/python" "$pip/pip" install -qq --disable-pip-version-check --no-input --no-compile --no-deps \
    --require-hashes --requirement "$lock"
