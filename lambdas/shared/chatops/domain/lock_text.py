"""What somebody typed after `lock`: `[target] [for 2h] reason…`. Durations are `30m`, `2h`, `1h30m`, `90 minutes`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops.domain.reason import Reason
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

LONGEST = 90 * 86_400
"""Seconds. What should last longer than anybody remembers it is ended by a person."""

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNIT = r"m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?"
_PART = re.compile(rf"(\d{{1,6}})({_UNIT})", re.ASCII)
_WHOLE = re.compile(rf"(?:\d{{1,6}}(?:{_UNIT}))+", re.ASCII)
_NUMBER, _UNITS = re.compile(r"\d{1,6}", re.ASCII), re.compile(_UNIT)
_NUMBERLIKE = re.compile(r"[-+.,]?\d")
_NUMBER_WORD = re.compile("an?|half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|some|few")
_MOMENT = re.compile(
    "tomorrow|tonight|noon|midnight|eod|next|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
)


def _leading(words: Sequence[str]) -> tuple[int, int]:
    """How many of the first words are a duration, and its seconds; (0, 0) where none is."""
    used = seconds = 0
    while used < len(words):
        word, unit = words[used].lower(), words[used + 1].lower() if used + 1 < len(words) else ""
        if _WHOLE.fullmatch(word):
            seconds += sum(int(n) * _SECONDS[kind[0]] for n, kind in _PART.findall(word))
            used += 1
        elif _NUMBER.fullmatch(word) and _UNITS.fullmatch(unit):
            seconds += int(word) * _SECONDS[unit[0]]
            used += 2
        else:
            break
    return used, seconds


def _is_one(word: str) -> bool:
    """True for a word that is nothing but a duration."""
    return bool(_WHOLE.fullmatch(word.lower()))


def _is_meant(words: Sequence[str]) -> bool:
    """True where what follows `for` was meant as a duration, although it is none here: `-1`, `1.5h`, `an hour`."""
    first, *others = [word.lower() for word in words[:3]] or [""]
    return bool(_NUMBERLIKE.match(first)) or (
        bool(_NUMBER_WORD.fullmatch(first)) and any(len(word) > 1 and _UNITS.fullmatch(word) for word in others)
    )


def _is_moment(words: Sequence[str]) -> bool:
    """True where what follows `until` is a time of a clock or a calendar: `18:00`, `6pm`, `Monday`."""
    first = words[0].lower() if words else ""
    return bool(_MOMENT.fullmatch(first) or _NUMBERLIKE.match(first))


@dataclass(frozen=True)
class Ends:
    """`target`, `seconds`: empty or 0 where none is named; `used`: how many of the words say that; the rest is the
    reason. `mistake`: why it can't be understood."""

    target: str = ""
    seconds: int = 0
    used: int = 0
    mistake: Reason | None = None


def read(words: Sequence[str], known: Collection[str]) -> Ends:
    """An end that stands elsewhere, or that isn't a duration, is a mistake: it would become part of the reason, and
    the lock last until somebody unlocks."""
    found = Ends()
    while rest := words[found.used :]:
        first, spelt = rest[0].lower(), int(rest[0].lower() == "for")
        used, seconds = _leading(rest[spelt:])
        if first in known and not found.target:
            found = replace(found, target=first, used=found.used + 1)
        elif not found.seconds and used and (spelt or _is_one(first)):
            if not 0 < seconds <= LONGEST:
                return _mistake("lock_duration", rest[spelt : used + spelt])
            found = replace(found, seconds=seconds, used=found.used + used + spelt)
        elif not found.seconds and spelt and _is_meant(rest[1:]):
            return _mistake("lock_duration", rest[1:3])
        elif first == "until" and _is_moment(rest[1:]):
            return _mistake("lock_until", rest[1:3])
        else:
            break
    if not rest:
        return replace(found, mistake=Reason("lock_reason"))
    if not found.seconds and (late := _late(rest)):
        return _mistake("lock_end_last", late)
    return found


def _late(reason: Sequence[str]) -> Sequence[str]:
    """`for 2h` or `until 18:00` at the end of a reason; empty where there is none."""
    for n, word in enumerate(reason):
        rest = reason[n + 1 :]
        if word.lower() == "for" and rest and _leading(rest)[0] == len(rest):
            return reason[n:]
        if word.lower() == "until" and len(rest) == 1 and _is_moment(rest):
            return reason[n:]
    return ()


def _mistake(key: TextKey, words: Sequence[str]) -> Ends:
    return Ends(mistake=Reason(key, word=" ".join(words)[:80]))
