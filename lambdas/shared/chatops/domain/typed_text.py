"""What a person typed, without what Slack, keyboards and copying put around it."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_ESCAPED = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
# Full-width characters, as East Asian keyboards write them, and the dashes that stand for one hyphen.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣"), "-")
_TWO_HYPHENS = re.compile("^[–—―]+(?=[A-Za-z])")
_OVERRIDES = "\u202d\u202e"  # they show a text in another order than it has: never taken off, so that it is refused
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters by their category: Hangul's fillers, and an empty Braille cell
_AROUND = "`*~\"'“”„‘’«»‹›「」『』()[]<>"
_AFTER = ",;:.!?、。"


class Word(NamedTuple):
    """A word as it was typed, and as it is understood: without marks around it and invisible characters in it."""

    typed: str
    bare: str


def unescaped(text: str) -> str:
    """A slash command's text. Mentions, channels and links become their labels, which notify nobody; the three
    characters that Slack escapes become themselves.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    shown = _ESCAPED.sub(_label, text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _label(found: re.Match[str]) -> str:
    sign, address, label = found.groups()
    if sign == "!":
        return label or f"@{address}"
    return sign + (label or address).removeprefix(sign or "\0")


def words(text: str) -> list[Word]:
    """The words of a command; what consists of marks or of nothing to read is none."""
    split = [Word(typed, bare(typed)) for typed in text.split()]
    return [word for word in split if word.bare and not shows_nothing(word.bare)]


def shows_nothing(text: str) -> bool:
    """True for a text without anything to read: of blanks, invisible characters and fillers alone."""
    return all(c in _FILLERS or (c not in _OVERRIDES and unicodedata.category(c)[0] in "CMZ") for c in text)


def bare(word: str) -> str:
    """The word as a command or a version is written: quotation marks, code and bold marks around it, punctuation after
    it and invisible characters are taken off; every dash is a hyphen, two of them where Slack made one of two."""
    seen = "".join(c for c in word if unicodedata.category(c) != "Cf" or c in _OVERRIDES)
    plain = _TWO_HYPHENS.sub("--", seen.strip(_AROUND)).translate(_PLAIN)
    before = None
    while plain != before:
        before = plain
        plain = plain.strip(_AROUND).rstrip(_AFTER)
        if len(plain) > 2 and plain[0] == plain[-1] == "_":
            plain = plain[1:-1]
    return plain
