"""What a check says: the state, what was found, what that leads to, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`failed` needs doing; `warning` works today; `skipped` could not be looked at, or does not apply."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """One answer. `found`: what is, or what is wrong; `causes`: what that leads to; `todo`: what to do; `link`: where.

    Texts are English, whole sentences, and hold no secret.
    """

    state: State
    found: str
    causes: str = ""
    todo: str = ""
    link: str = ""


def ok(found: str) -> Result:
    return Result(State.OK, found)


def warning(found: str, causes: str, todo: str, link: str = "") -> Result:
    return Result(State.WARNING, found, causes, todo, link)


def failed(found: str, causes: str, todo: str, link: str = "") -> Result:
    return Result(State.FAILED, found, causes, todo, link)


def skipped(found: str, todo: str = "", link: str = "") -> Result:
    return Result(State.SKIPPED, found, todo=todo, link=link)


class NotLooked(Exception):
    """A check cannot look: the text says why, `todo` what would let it."""

    def __init__(self, why: str, todo: str = "") -> None:
        super().__init__(why)
        self.todo = todo


class NoAnswer(Exception):
    """Somebody who should have answered did not; the text names them and the kind of trouble, never a secret."""
