"""Mutation testing of what must not be wrong: `make mutants`, `make mutants MODULE=locks`.

Every change of a module's code that its tests do not notice must be explained in explained.toml, or there is a test
missing. Exit 1 if a mutant survived unexplained.
"""

from __future__ import annotations

import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator

from constants import outside_functions
from mutant import Mutant, in_functions
from workshop import HERE, Module, furnish, mutate_functions

Key = tuple[str, str, str, str]
COLUMNS = ("mutants", "killed", "survived", "explained", "seconds")


def modules(wanted: list[str]) -> list[Module]:
    """Those of modules.toml, or those named."""
    listed = tomllib.loads((HERE / "modules.toml").read_text())
    known = {name: Module(name, line["module"], tuple(line["tests"])) for name, line in listed.items()}
    if unknown := sorted(set(wanted) - set(known)):
        raise SystemExit(f"There is no module {', '.join(unknown)}; there are: {', '.join(known)}.")
    return [known[name] for name in wanted or known]


def explained() -> dict[Key, str]:
    """Why a mutant may live: key of the mutant -> reason."""
    found: dict[Key, str] = {}
    for group in tomllib.loads((HERE / "explained.toml").read_text()).get("explained", []):
        for was, now in changes(group["changes"]):
            found[group["module"], group.get("function", ""), was, now] = group["why"]
    return found


def changes(text: str) -> Iterator[tuple[str, str]]:
    """Lines before and after, of blocks as a diff has them."""
    for block in text.strip().split("\n\n"):
        lines = block.splitlines()
        yield "\n".join(x[2:] for x in lines if x[0] == "-"), "\n".join(x[2:] for x in lines if x[0] == "+")


def mutants(module: Module) -> list[Mutant]:
    """All of the module's, with their fates."""
    furnish(module)
    mutate_functions(module)
    os.chdir(module.folder)
    return [*in_functions(module), *outside_functions(module, os.cpu_count() or 2)]


def main(wanted: list[str]) -> int:
    reasons, wrong = explained(), 0
    print(f"{'module':24}" + "".join(f"{column:>{len(column) + 3}}" for column in COLUMNS))
    total: Counter[str] = Counter()
    for module in modules(wanted):
        began = time.monotonic()
        found = mutants(module)
        living = [mutant for mutant in found if not mutant.killed]
        open_ = [mutant for mutant in living if mutant.key not in reasons]
        stale = [key for key in reasons if key[0] == module.path and key not in {mutant.key for mutant in living}]
        numbers = {
            "mutants": len(found),
            "killed": len(found) - len(living),
            "survived": len(living),
            "explained": len(living) - len(open_),
            "seconds": round(time.monotonic() - began),
        }
        total.update(numbers)
        print(_row(module.path, numbers), flush=True)
        for mutant in dict.fromkeys(open_):
            print(f"\nSurvived: {mutant}")
        for _, place, was, now in stale:
            print(f"\nStale explanation, no such mutant survives: {module.path}, {place}\n  - {was}\n  + {now}")
        wrong += len(open_) + len(stale)
    if not wanted:
        print(_row("all", total))
    return 1 if wrong else 0


def _row(name: str, numbers: Counter[str] | dict[str, int]) -> str:
    return f"{name:24}" + "".join(f"{numbers[column]:{len(column) + 3}}" for column in COLUMNS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
