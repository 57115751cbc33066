"""Slack's mrkdwn as words, for a terminal: mentions by name, dates and links as they read.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from html import unescape

_ANGLED = re.compile(r"<([^<>\n]+)>")
_MARKED = re.compile(r"(?<![\w*])\*(\S|\S[^*\n]*?\S)\*(?![\w*])|(?<!\w)_(\S|\S[^_\n]*?\S)_(?!\w)|`([^`\n]+)`")
_STYLES = {
    "date_num": "%Y-%m-%d",
    "date": "%-d %B %Y",
    "date_short": "%-d %b %Y",
    "date_long": "%A, %-d %B %Y",
    "time": "%H:%M",
    "time_secs": "%H:%M:%S",
}


@dataclass(frozen=True)
class Names:
    """What ids stand for; what is not here is shown as its id. `now` is an aware time: its zone is the reader's."""

    now: datetime
    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


def words(text: str, names: Names) -> str:
    """The text on one line, without marks."""
    shown = _ANGLED.sub(lambda found: _angled(found[1], names), text)
    shown = _MARKED.sub(lambda found: next(part for part in found.groups() if part), shown)
    return " ".join(unescape(shown).split())


def _angled(inside: str, names: Names) -> str:
    target, _, label = inside.partition("|")
    for sign, known, before in (("@", names.users, "@"), ("#", names.channels, "#"), ("!subteam^", names.groups, "@")):
        if target.startswith(sign):
            name = target.removeprefix(sign)
            return before + known.get(name, label.lstrip("@#") or name)
    if target.startswith("!date^"):
        return _date(target, label, names)
    return f"@{target[1:]}" if target.startswith("!") else label or target


def _date(target: str, label: str, names: Names) -> str:
    """`!date^1392734382^{date_short_pretty} {time}` in the reader's zone; the label where that is no time."""
    _, seconds, form, *_ = (*target.split("^"), "", "")
    zone: tzinfo | None = names.now.tzinfo
    try:
        at = datetime.fromtimestamp(int(seconds), zone)
    except (ValueError, OverflowError, OSError):
        return label or target
    days = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((at.date() - names.now.date()).days)

    def part(found: re.Match[str]) -> str:
        style = _STYLES.get(found[1].removesuffix("_pretty"))
        if style is None:
            return found[0]
        return days if days and found[1].endswith("_pretty") else at.strftime(style)

    return re.sub(r"\{(\w+)\}", part, form)
