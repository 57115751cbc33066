#!/usr/bin/env bash
# Mutation testing with mutmut, as [tool.mutmut] in pyproject.toml says:
#
#     scripts/mutants.sh .venv-tools/mutants [store/locks]
#
# Prints the mutants that no test noticed, and fails if there are any. mutmut derives a module's name from its path below
# src/; the package lies elsewhere, so mutmut works in a folder of links in which it lies there. Nothing is kept from an
# earlier run: mutmut doesn't see that a test was changed.
set -euo pipefail
mutmut=$PWD/$1/bin/mutmut
module=${2:+chatops.${2//\//.}.}

rm -rf .mutants
mkdir -p .mutants/src
ln -s "$PWD/lambdas/shared/chatops" .mutants/src/chatops
ln -s "$PWD"/* "$PWD/.github" .mutants/
cd .mutants

unset PYTHONPATH
"$mutmut" run ${module:+"$module*"}
survivors=$("$mutmut" results | sed -nE "s/^ +(${module:-chatops.}[^ ]+): (survived|no tests|suspicious|segfault)\$/\1/p")
for name in $survivors; do "$mutmut" show "$name"; done
[[ -z $survivors ]] || { echo "No test notices $(wc -w <<<"$survivors") mutants." >&2; exit 1; }
