"""The settings, read by the bot's own rules, with everything that is wrong at once: whatever is refused is fixed and
the rest read again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.target import Target
from chatops.messages.english import english_text
from chatops.settings import config, targets
from chatops.settings.config import Settings

_NAME = re.compile(r"[A-Z][A-Z_]{3,}")
_STANDS_IN = {"GITHUB_ID": "owner", "GITHUB_REPO": "repository"}
_MOST = 20
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """`name`: the variable, or the file; `text`: what is wrong and what it should hold."""

    name: str
    text: str


@dataclass(frozen=True)
class Read:
    """What could be read. `targets` is empty where their part of the settings is unusable; `file`: the targets.yaml."""

    settings: Settings
    targets: dict[str, Target]
    problems: tuple[Problem, ...]
    file: str


def read(env: Mapping[str, str]) -> Read:
    """Settings and targets. The two names that only the stack gives may be missing."""
    given = {"CHATOPS_TABLE": "-", "CHATOPS_STATE_MACHINE_ARN": "-", **{k: v for k, v in env.items() if v.strip()}}
    settings, wrong = _mended(config.load, given)
    file = targets_file(env)
    if not file:
        found, more = _mended(targets.from_environment, given)
        unusable = {problem.name for problem in more} & set(_STANDS_IN)
        return Read(settings, {} if unusable else found, (*wrong, *more), "")
    from chatops.settings import targets_file as packed

    named, more = _mended(lambda env: packed.load(Path(file), env), given, otherwise=dict[str, Target])
    return Read(settings, named, (*wrong, *more), file)


def targets_file(env: Mapping[str, str]) -> str:
    """The targets.yaml that these settings mean; empty where there is none."""
    return config.text(env, "CHATOPS_TARGETS_FILE") or (targets.PACKED if Path(targets.PACKED).is_file() else "")


def _mended(
    load: Callable[[Mapping[str, str]], T], given: Mapping[str, str], otherwise: Callable[[], T] | None = None
) -> tuple[T, tuple[Problem, ...]]:
    env = dict(given)
    problems: list[Problem] = []
    for _ in range(_MOST):
        try:
            return load(env), tuple(problems)
        except InvalidConfiguration as error:
            last = error
            known = [(str(fault.values.get("name") or ""), english_text(fault)) for fault in error.faults]
            problems += [Problem(name or "targets.yaml", text) for name, text in known]
            again = {name: _STANDS_IN.get(name, "") for name, _ in known if name}
            if again.items() <= env.items():
                break
            env |= again
    if otherwise is None:
        raise last
    return otherwise(), tuple(problems)
