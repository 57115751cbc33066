"""What a sentence looks like in which something is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_DATE = re.compile(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|")
_EXAMPLE = re.compile(r'\{"command":[^}]*\}')
_HOLES = {
    "a placeholder": r"(?:^|(?<=[\s(“]))\?(?=$|[\s).,:;”<])|([`*])[?-]\1|(?<!\w)\u2013(?!\w)",
    "a value of Python's": r"\b(?:None|True|False|nan)\b",
    "a name that was not filled in": r"\{\w*\}",
    "marks with nothing in them": r"``|\*\*|“\s*”|\(\s*\)|\[\s*\]",
    "a link without address or label": r"<\||<https?://[^>|]*\|\s*>|<@>|<!subteam\^>",
    "a gap": r" {2,}|\s[.,;:!](?=\s|$)|^\s|[ \t]$|[ \t]\n",
    "a sentence that breaks off": r"[:→(,·]\s*$|[:→(]\s*[.,;)]|(?<!\.)\.\.(?!\.)",
}


def holes(text: str) -> list[str]:
    """What is missing where; nothing for a text that is whole."""
    bare = _EXAMPLE.sub("example", _DATE.sub("<date|", text))
    return [f"{what} in {text!r}" for what, pattern in _HOLES.items() if re.search(pattern, bare)]


def texts(node: Any) -> Iterator[str]:
    """Every text that a message, or a part of one, shows; `node` as it goes to Slack."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key in ("text", "alt_text", "title"):
                yield value
            elif not isinstance(value, str):
                yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)


def in_world(session: Any) -> list[str]:
    """The holes in everything that a session's Slack was given to show."""
    found: list[str] = []
    for message in session.slack.messages:
        for shown in (message, *message.edits):
            for text in (shown.text, *texts(shown.blocks)):
                found += holes(text)
    for call in session.slack.calls:
        for text in texts(call.arguments if isinstance(call.arguments, dict) else {}):
            found += holes(text)
    return found
