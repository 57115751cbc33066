"""English text for consoles, logs and errors, whatever language people chose. Imports nothing but its catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from chatops.domain.reason import Reason

_FIELD = re.compile(r"\{(\w+)\}")
_MARKS = ("`", "*")  # of code and bold
NO_LETTERS = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
CONTROL = re.compile(f"[{NO_LETTERS}]+")
"""Control characters, marks of direction, and halves of surrogate pairs."""


def english_text(reason: Reason) -> str:
    """The reason's English text. A key that isn't in the catalogue is returned as it is."""
    from chatops.messages.en import TEXTS  # a function that reports in Korean alone never needs it

    text = TEXTS.get(reason.key)
    return reason.key if text is None else filled(text, reason.values, _shown, TEXTS["unknown"])


def duration(seconds: float, units: tuple[str, str, str] = ("h", "m", "s"), digits: int = 2) -> str:
    """`45s`, `3m`, `6m 02s`, `1h 05m`; nothing below a second. `digits`: of the smaller unit, at least."""
    whole = max(int(seconds), 0)
    hour, minute, second = units
    if whole < 60:
        return f"{whole}{second}"
    (large, first), (small, last) = ((whole // 60, minute), (whole % 60, second))
    if whole >= 3600:
        (large, first), (small, last) = ((whole // 3600, hour), (whole % 3600 // 60, minute))
    return f"{large}{first} {small:0{digits}}{last}" if small else f"{large}{first}"


def _shown(name: str, value: object) -> str:
    if isinstance(value, Reason):
        return english_text(value)
    if name == "seconds" and isinstance(value, int | float):
        return duration(value)
    return CONTROL.sub(" ", ", ".join(value) if isinstance(value, tuple) else str(value))


def filled(text: str, given: Mapping[str, object], shown: Callable[[str, object], str], unknown: str) -> str:
    """The text with its placeholders replaced by what `shown(name, value)` returns for them."""

    def value(found: re.Match[str]) -> str:
        made, behind = shown(found[1], given.get(found[1], "")), text[found.end() : found.end() + 1]
        # a sentence inside a sentence ends where the outer one does
        if behind == "." or (behind == ")" and isinstance(given.get(found[1]), Reason)):
            return made.rstrip(".")
        # Marks with nothing between them would be shown as they are. The catalogues have sentences for values that
        # may be unknown; this is the net below them.
        return unknown if not made and behind in _MARKS and text[found.start() - 1] == behind else made

    return _FIELD.sub(value, text)
