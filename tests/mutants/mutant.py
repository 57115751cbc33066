"""What a mutant is, and what became of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from mutmut.mutation.data import MutantLineSpans, SourceFileMutationData
from mutmut.stats import status_by_exit_code
from workshop import Module

KILLED = frozenset({"killed", "timeout", "caught by type check"})


@dataclass(frozen=True)
class Mutant:
    """A change and its fate. `place`: the function, `""` outside of functions; `was` and `now`: the changed lines."""

    module: str
    place: str
    was: str
    now: str
    fate: str

    @property
    def killed(self) -> bool:
        return self.fate in KILLED

    @property
    def key(self) -> tuple[str, str, str, str]:
        """How an explanation names it: by what it says, not by where it stands."""
        return self.module, self.place, self.was, self.now

    def __str__(self) -> str:
        where = f"{self.module}, {self.place or 'outside of functions'} ({self.fate})"
        return f"{where}\n{_marked('-', self.was)}\n{_marked('+', self.now)}"


def _marked(mark: str, lines: str) -> str:
    return "\n".join(f"  {mark} {line}" for line in lines.splitlines())


def change(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after, without their common indentation."""
    was, now = [], []
    for line in difflib.ndiff(before.splitlines(), after.splitlines()):
        if line.startswith("- "):
            was.append(line[2:].strip())
        elif line.startswith("+ "):
            now.append(line[2:].strip())
    return "\n".join(was), "\n".join(now)


def in_functions(module: Module) -> Iterator[Mutant]:
    """What mutmut found in the module's workshop, which is the folder we are in."""
    data, spans = SourceFileMutationData(path=module.source), MutantLineSpans.load(module.source)
    data.load()
    if spans is None:
        return
    for key, code in data.exit_code_by_key.items():
        name = key.rpartition(".")[2]
        mangled = name.partition("__mutmut_")[0]
        place = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        original, short = f"{mangled}__mutmut_orig", place.rpartition(".")[2]
        before, after = spans.read_function_sources([original, name])
        yield Mutant(
            module.path,
            place,
            *change(before.replace(original, short), after.replace(name, short)),
            status_by_exit_code[code],
        )
