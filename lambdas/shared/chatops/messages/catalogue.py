"""Texts by key in the configured language, with every value made harmless for Slack."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module

from chatops.config import text as setting

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_FIELD = re.compile(r"\{(\w+)\}")
_NO_LETTERS = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_NO_LETTERS}]+")
_URL = re.compile(rf"https?://[^\s<>|`{_NO_LETTERS}]{{1,2000}}")
_MARKS = ("`", "*")  # of code and bold
_BRACKETS = str.maketrans("<>", "‹›")
Values = Mapping[str, object]


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
    one_line = _CONTROL.sub(" ", str(value)).strip()
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
    """`6m 02s`, `45s`, `1h 05m`."""
    whole = max(int(seconds), 0)
    if whole >= 3600:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 60}m {whole % 60:02d}s" if whole >= 60 else f"{whole}s"


class Markup(str):
    """A value that is Slack markup already (a link, a mention) and must not be escaped again."""

    __slots__ = ()


def _value(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _inner(value, say)
    if isinstance(value, Markup):
        return str(value)
    if name in ("user", "by"):
        return mention(str(value))
    if name in ("since", "deadline", "at", "until"):
        return date(str(value))
    if name == "execution":
        return link(str(value), texts(language())["footer_link"])
    return escape(value)


def say(key: str, values: Values | None = None, **more: object) -> str:
    """The text in Slack's mrkdwn. A value may be a text of the catalogues itself (`errors.phrase`)."""
    known = texts(language())
    return _filled(known[key], {**(values or {}), **more}, _value, known["unknown"])


def plain(key: str, values: Values | None = None, **more: object) -> str:
    """The text where there is no markup (a header, a console, a log): no mentions, nothing escaped; angle brackets in
    values become others that mean nothing to anybody."""
    known = texts(language())
    return _filled(known[key], {**(values or {}), **more}, lambda _, value: _bare(value), known["unknown"])


def english(key: str, values: Values | None = None) -> str:
    """The English text, whatever the language: for consoles and logs. A key that there is none of is its own text."""
    known = texts("en")
    return _filled(known[key], values or {}, _english, known["unknown"]) if key in known else key


def _english(_name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return english(str(value.get("key")), value.get("values"))
    return _CONTROL.sub(" ", str(value))


def _filled(text: str, given: Values, shown: Callable[[str, object], str], unknown: str) -> str:
    def value(found: re.Match[str]) -> str:
        made, behind = shown(found[1], given.get(found[1], "")), text[found.end() : found.end() + 1]
        # a sentence inside a sentence ends where the outer one does
        if behind == "." or (behind == ")" and isinstance(given.get(found[1]), Mapping)):
            return made.rstrip(".")
        # Marks with nothing between them are shown as they are. Sentences for what is not known stand in the
        # catalogues; this is for what nobody foresaw.
        return unknown if not made and behind in _MARKS and text[found.start() - 1] == behind else made

    return _FIELD.sub(value, text)


def _inner(value: Mapping[str, object], speak: Callable[[str, Values], str]) -> str:
    key, values = str(value.get("key", "")), value.get("values")
    if key not in texts(language()):
        return escape(key)
    return speak(key, values if isinstance(values, Mapping) else {})


def _bare(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _inner(value, plain)
    return _CONTROL.sub(" ", str(value))[:500].translate(_BRACKETS)
