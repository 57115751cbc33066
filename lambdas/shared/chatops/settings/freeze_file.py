"""A target's `freeze:` in targets.yaml.

freeze:
  - {days: [sat, sun], zone: Asia/Seoul}                          # whole days
  - {days: [fri], from: "16:00", to: "24:00", zone: Asia/Seoul}   # a part of these days
  - {from: "22:00", to: "06:00"}                                  # every night; over midnight; zone: UTC
  - {from: 2026-12-24, to: 2026-12-27, reason: year-end}          # once; both days are included
  - {from: 2026-12-31 18:00, to: 2027-01-02 09:00}                # once, to the minute

Times are read as they are written: YAML would take an unquoted 16:00 for the number 960.
"""

from __future__ import annotations

import difflib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from chatops.domain.freeze import Once, Weekly, Window
from chatops.domain.reason import Reason

if TYPE_CHECKING:
    from chatops.settings.yaml_places import Where

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_DATE = re.compile(r"(20\d{2}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?")
_REASON = re.compile(r".{1,100}")


def read(where: Where) -> tuple[Window, ...]:
    """The windows. What is wrong with one of them is noted; raises InvalidConfiguration where it is no list."""
    found = (where.faults.read(None, _window, item) for item in where.items("what_windows"))
    return tuple(window for window in found if window)


def _window(where: Where) -> Window:
    place = where.fields({"days", "from", "to", "zone", "reason"})
    zone = _zone(place["zone"]) if "zone" in place else "UTC"
    reason = place["reason"].text(_REASON, "what_short_text") if "reason" in place else ""
    dated = [name for name in ("from", "to") if name in place and _DATE.match(place[name].raw())]
    if dated and "days" in place:
        raise where.error("at_days_and_dates")
    if dated:
        return _once(where, place, zone, reason)
    if not {"days", "from", "to"} & set(place):
        raise where.error("at_no_time")
    days = frozenset(_day(day) for day in place["days"].items("what_weekdays")) if "days" in place else range(7)
    if not days:
        raise place["days"].error("at_no_days")
    start = _minutes(place["from"], 0, 1439) if "from" in place else 0
    end = _minutes(place["to"], 1, 1440) if "to" in place else 1440
    if start == end:
        raise where.error("at_same_time")
    return Weekly(frozenset(days), start, end, zone, reason)


def _once(where: Where, place: dict[str, Where], zone: str, reason: str) -> Once:
    for name in ("from", "to"):
        if name not in place:
            raise where.error("at_lacks", name=name)
    start, end = _moment(place["from"], last=False), _moment(place["to"], last=True)
    if end <= start:
        raise where.error("at_ends_first")
    return Once(start, end, zone, reason)


def _moment(where: Where, *, last: bool) -> datetime:
    """A date is the whole day: its beginning, or, as the end, the next day's."""
    found = _DATE.fullmatch(where.raw())
    if not found:
        raise where.error("at_date", found=repr(where.raw()[:80]))
    try:
        day = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}")
    except ValueError:
        raise where.error("at_no_such_date", found=where.raw()) from None
    return day + timedelta(days=1) if last and not found[2] else day


def _minutes(where: Where, least: int, most: int) -> int:
    found = _TIME.fullmatch(where.raw())
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1
    if not least <= minutes <= most:
        first, last = ("00:00", "23:59") if least == 0 else ("00:01", "24:00")
        raise where.error("at_time", first=first, last=last, found=repr(where.raw()[:80]))
    return minutes


def _day(where: Where) -> int:
    name = where.raw().lower()
    for number, day in enumerate(DAYS):
        if name in (day, day[:3]):
            return number
    raise where.error("at_weekday", found=repr(where.raw()[:80]))


def _zone(where: Where) -> str:
    name = where.text()
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        meant = difflib.get_close_matches(name[:80], available_timezones(), n=1)
        hint = Reason("zone_meant", meant=meant[0]) if meant else Reason("zone_like")
        raise where.error("at_zone", found=repr(name[:80]), hint=hint) from None
    return name
