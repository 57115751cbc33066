"""Texts by key in the configured language, with every value made harmless for Slack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from chatops.domain.command_names import named
from chatops.domain.reason import Reason
from chatops.messages import english
from chatops.messages.english import CONTROL, NO_LETTERS, filled
from chatops.settings.config import text as setting

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_URL = re.compile(rf"https?://[^\s<>|`{NO_LETTERS}]{{1,2000}}")
FEW = 10
"""People who are named one by one; of more, their user groups are, or how many more there are."""
_BRACKETS = str.maketrans("<>", "‹›")
Values = Mapping[str, object]
_ENDS: dict[str, TextKey] = {
    "Deployed": "outcome_deployed",
    "Restored": "outcome_restored",
    "Rolled Back": "outcome_rolled_back",
    "Build Failed": "outcome_build_failed",
    "Deploy Failed": "outcome_deploy_failed",
    "Rollback Failed": "outcome_rollback_failed",
    "Rejected": "outcome_rejected",
    "Expired": "outcome_expired",
    "Cancelled": "outcome_cancelled",
    "Refused": "outcome_refused",
    "Stopped": "outcome_stopped",
}
_STAGES: dict[str, TextKey] = {"build": "stage_build", "deploy": "stage_deploy", "rollback": "stage_rollback"}


def language() -> str:
    """`CHATOPS_LANG`; checked by `config.load`."""
    import os

    found = setting(os.environ, "CHATOPS_LANG", "en").lower()
    return found if found in ("en", "ko") else "en"


@lru_cache(maxsize=4)
def texts(code: str) -> dict[str, str]:
    """The catalogue of a language."""
    found: dict[str, str] = import_module(f"chatops.messages.{code}").TEXTS
    return found


def escape(value: object, limit: int = 500) -> str:
    """Text that a person or an API wrote, made harmless: Slack's three characters escaped, control characters and
    direction marks gone, no backtick that could end a code span.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    one_line = CONTROL.sub(" ", str(value)).strip()
    if len(one_line) > limit:
        one_line = one_line[: limit - 1] + "…"
    return one_line.replace("`", "'").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(user: str) -> str:
    """A mention of a user, or the words for somebody without a Slack id: an operator in the console, or one who decided
    with the rights of an IAM role (`user` is its ARN then, and after a blank the name that was given)."""
    if _USER.fullmatch(user):
        return f"<@{user}>"
    operator = texts(language())["operator"]
    arn, _, name = user.partition(" ")
    if not arn.startswith("arn:"):
        return operator
    return f"{operator} ({f'{escape(name)}, ' if name else ''}`{escape(arn)}`)"


def date(iso: str) -> str:
    """A time in the reader's own zone. https://docs.slack.dev/messaging/formatting-message-text#date-formatting"""
    try:
        at = datetime.fromisoformat(iso).astimezone(UTC)
    except (ValueError, OverflowError):
        return escape(iso)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def link(url: str, label: str) -> str:
    """A link, or only its label where the URL is none that Slack would link."""
    if not _URL.fullmatch(url):
        return escape(label)
    return f"<{url}|{escape(label)}>"


def duration(seconds: float) -> str:
    """`6m 02s`, `3m`, `1h 05m`; in Korean `6분 2초`."""
    if language() == "ko":
        return english.duration(seconds, ("시간", "분", "초"), 1)
    return english.duration(seconds)


def end_text(end: str) -> str:
    """How a deployment ended, in words; one that isn't known as it is, empty for none."""
    return plain(_ENDS[end]) if end in _ENDS else end


class Markup(str):
    """A value that is Slack markup already (a link, a mention) and must not be escaped again."""

    __slots__ = ()


def channel_link(channel: str) -> Markup:
    """A channel as Slack links it. https://docs.slack.dev/messaging/formatting-message-text#linking-channels"""
    return Markup(f"<#{escape(channel)}>")


def named_few(mentions: Sequence[str], *, any_of: bool = False) -> Markup:
    """At most ten mentions, and how many people more there are; where nobody is named, it is whoever runs this.
    `any_of`: one of them is enough, `@lee or @kim`."""
    if any_of and 1 < len(mentions) <= FEW:
        return Markup(say("people_or", people=Markup(", ".join(mentions[:-1])), last=Markup(mentions[-1])))
    shown = ", ".join(mentions[:FEW]) or mention("")
    return Markup(say("people_more", people=Markup(shown), count=len(mentions) - FEW) if mentions[FEW:] else shown)


def _value(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Reason):
        return reason_text(value)
    if isinstance(value, Mapping):
        return reason_text(Reason.from_json(value))
    if isinstance(value, Markup):
        return str(value)
    if isinstance(value, tuple):
        return named_few([mention(user) for user in value], any_of=name == "deciders")
    if name in ("user", "by"):
        return mention(str(value))
    if name in ("since", "deadline", "at", "until"):
        return date(str(value))
    if name == "execution":
        return link(str(value), texts(language())["footer_link"])
    return escape(_in_words(name, value))


def _in_words(name: str, value: object) -> object:
    """A value that has words of its own in each language: a duration, a stage, an end."""
    if name == "seconds" and isinstance(value, int | float):
        return duration(value)
    if name == "stage" and value in _STAGES:
        return plain(_STAGES[str(value)])
    return end_text(str(value)) if name == "end" else value


def say(key: TextKey, values: Values | None = None, **more: object) -> str:
    """The text in Slack's mrkdwn. A value may be a `Reason`."""
    known = texts(language())
    return filled(named(known[key]), {**(values or {}), **more}, _value, known["unknown"])


def plain(key: TextKey, values: Values | None = None, **more: object) -> str:
    """The text where there is no markup (a header, a console, a log): no mentions, nothing escaped; angle brackets in
    values become others that have no meaning in Slack."""
    known = texts(language())
    return filled(
        named(known[key]),
        {**(values or {}), **more},
        lambda name, value: _bare(_in_words(name, value)),
        known["unknown"],
    )


def reason_text(reason: Reason | None) -> str:
    """The reason in Slack's mrkdwn, empty for none. A key that isn't in the catalogues is shown as it is."""
    if reason is None:
        return ""
    return say(reason.key, reason.values) if reason.key in texts(language()) else escape(reason.key)


def plain_reason(reason: Reason | None) -> str:
    """The reason where there is no markup, as `plain`."""
    if reason is None:
        return ""
    return plain(reason.key, reason.values) if reason.key in texts(language()) else escape(reason.key)


def _bare(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Reason | Mapping):
        return plain_reason(value if isinstance(value, Reason) else Reason.from_json(value))
    return CONTROL.sub(" ", str(value))[:500].translate(_BRACKETS)
