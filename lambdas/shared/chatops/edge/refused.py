"""Refusals: words for the one who tried, and a line in the log for whoever looks into it later."""

from __future__ import annotations

from chatops.messages.catalogue import Values, say
from chatops.observability import logger


class Refused(str):
    """Words that refuse. `key` is the catalogue's."""

    __slots__ = ("key",)

    key: str


def refused(key: str, values: Values | None = None, **more: object) -> Refused:
    """The catalogue's text as a refusal."""
    made = Refused(f"⚠️ {say(key, values, **more)}")
    made.key = key
    return made


def record(said: str, action: str, deployment_id: str, user: str) -> None:
    """Log who was refused what, and why, if that is what was said."""
    if not isinstance(said, Refused):
        return
    logger.warning("refused", why=said.key, action=action, deployment_id=deployment_id[:80], user=user)
