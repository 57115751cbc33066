"""What a workspace calls the slash commands: texts have `/platform-deploy`, which may be `/acme-deploy` there."""

from __future__ import annotations

import re
from contextvars import ContextVar

OURS = "/platform-"
_COMMAND = re.compile(r"(/[a-z0-9_-]{0,24})(?:deploy|status|rollback)")
_PREFIX = re.compile(r"/(?:[a-z0-9_-]{0,23}-)?")
_prefix: ContextVar[str] = ContextVar("prefix", default=OURS)


def prefix_of(command: str) -> str:
    """What stands before `deploy`, `status` and `rollback`: `/acme-` of `/acme-deploy`; empty for `/platform-` and for
    what isn't one of the commands."""
    found = _COMMAND.fullmatch(command)
    return found[1] if found and found[1] != OURS and _PREFIX.fullmatch(found[1]) else ""


def typed(request: object) -> str:
    """The prefix in an execution's input; empty where there is none, or what isn't one."""
    found = request.get("command_prefix") if isinstance(request, dict) else None
    return found if isinstance(found, str) and _PREFIX.fullmatch(found) else ""


def use(prefix: str) -> None:
    """From now on, texts of this thread have commands with this prefix; empty: with ours."""
    _prefix.set(prefix or OURS)


def named(text: str) -> str:
    """The text with the commands' names."""
    prefix = _prefix.get()
    return text if prefix == OURS else text.replace(OURS, prefix)
