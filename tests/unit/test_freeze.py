"""Freeze windows: when a target is closed, until when, how they are written, and how an approver goes through."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatops import clock
from chatops.domain import command_text, request
from chatops.domain.errors import InvalidConfiguration, Refusal
from chatops.domain.freeze import STEPS, Freeze, Lock, Once, Weekly, Window, holding
from chatops.domain.plan import BreakGlass
from chatops.domain.reason import Reason
from chatops.domain.target import Policy, Target
from chatops.edge import commands
from chatops.messages import card, reports
from chatops.messages.catalogue import say
from chatops.settings import config
from chatops.settings.targets_file import load
from chatops.slack import approvers, people
from chatops.steps import plan
from chatops.store import deployments
from chatops.store.table import Table
from tests.unit import stored, views
from tests.unit.steps import call

SEOUL, NEW_YORK = "Asia/Seoul", "America/New_York"
WEEKEND = Weekly(frozenset({5, 6}), 0, 1440, SEOUL)
FRIDAY = Weekly(frozenset({4}), 16 * 60, 1440, SEOUL)
NIGHTS = Weekly(frozenset(range(7)), 22 * 60, 6 * 60, SEOUL)


def at(wall: str, zone: str = SEOUL, fold: int = 0) -> float:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def closed(windows: Sequence[Window], wall: str, zone: str = SEOUL, fold: int = 0) -> str:
    """Until when, on the wall's clock; empty where nothing is frozen."""
    found = holding(windows, at(wall, zone, fold))
    if found is None:
        return ""
    return f"{datetime.fromtimestamp(found.end, ZoneInfo(zone)):%m-%d %H:%M}" if found.end else "for good"


# 2026-12-04 is a Friday


@pytest.mark.parametrize(
    ("wall", "until"),
    [
        ("2026-12-03 12:00", ""),
        ("2026-12-04 23:59", ""),
        ("2026-12-05 00:00", "12-07 00:00"),
        ("2026-12-06 23:59", "12-07 00:00"),
        ("2026-12-07 00:00", ""),
    ],
)
def test_whole_days(wall: str, until: str) -> None:
    assert closed([WEEKEND], wall) == until


def test_windows_that_follow_each_other_are_one_freeze() -> None:
    """Who asks on Friday evening is told Monday, not midnight."""
    assert closed([WEEKEND, FRIDAY], "2026-12-04 15:59") == ""
    assert closed([WEEKEND, FRIDAY], "2026-12-04 16:00") == "12-07 00:00"
    assert closed([FRIDAY], "2026-12-04 16:00") == "12-05 00:00"


@pytest.mark.parametrize(
    ("wall", "until"),
    [
        ("2026-12-03 21:59", ""),
        ("2026-12-03 22:00", "12-04 06:00"),
        ("2026-12-04 00:00", "12-04 06:00"),
        ("2026-12-04 05:59", "12-04 06:00"),
        ("2026-12-04 06:00", ""),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(wall: str, until: str) -> None:
    assert closed([NIGHTS], wall) == until
    only_thursday = Weekly(frozenset({3}), 22 * 60, 6 * 60, SEOUL)
    assert closed([only_thursday], wall) == until
    only_friday = Weekly(frozenset({4}), 22 * 60, 6 * 60, SEOUL)
    assert closed([only_friday], wall) == ""


def test_the_zone_decides_what_day_it_is() -> None:
    """Friday evening in New York is Saturday in Seoul."""
    assert closed([WEEKEND], "2026-12-04 12:00", NEW_YORK) == "12-06 10:00"
    assert closed([Weekly(WEEKEND.days, 0, 1440, NEW_YORK)], "2026-12-04 12:00", NEW_YORK) == ""


def test_dates() -> None:
    year_end = Once(datetime(2026, 12, 24), datetime(2026, 12, 28), SEOUL, "year-end")  # noqa: DTZ001 - a wall's time
    assert closed([year_end], "2026-12-23 23:59") == ""
    assert closed([year_end], "2026-12-24 00:00") == "12-28 00:00"
    assert closed([year_end], "2026-12-28 00:00") == ""
    assert holding([year_end], at("2026-12-25 00:00")) == Freeze(at("2026-12-28 00:00"), "year-end")
    # 2026-12-26 and 27 are a weekend: the two end together
    assert closed([year_end, WEEKEND], "2026-12-24 00:00") == "12-28 00:00"


def test_no_windows_freeze_nothing() -> None:
    assert holding([], at("2026-12-05 00:00")) is None


def test_what_is_closed_every_day_says_so_instead_of_naming_a_day() -> None:
    always = Weekly(frozenset(range(7)), 0, 1440, SEOUL, "until the audit is over")
    assert holding([always], at("2026-12-05 00:00")) == Freeze(None, "until the audit is over")
    once = Once(datetime(2026, 1, 1), datetime(2029, 1, 1), SEOUL)  # noqa: DTZ001 - a wall's time
    assert holding([once, always], at("2026-12-05 00:00")) == Freeze(None, "")
    assert STEPS < 1000, "looking ahead stays a matter of milliseconds"


# clocks that jump: New York 2026-03-08 02:00 -> 03:00 and 2026-11-01 02:00 -> 01:00


def test_a_window_that_ends_in_the_hour_that_is_skipped_ends_at_the_jump() -> None:
    night = [Weekly(frozenset({5}), 22 * 60, 2 * 60 + 30, NEW_YORK)]
    found = holding(night, at("2026-03-08 01:59", NEW_YORK))
    assert found
    assert found.end == datetime(2026, 3, 8, 7, 0, tzinfo=UTC).timestamp()
    assert closed(night, "2026-03-08 03:00", NEW_YORK) == ""


def test_a_window_that_begins_in_the_hour_that_is_skipped_begins_at_the_jump() -> None:
    morning = [Weekly(frozenset({6}), 2 * 60 + 30, 9 * 60, NEW_YORK)]
    assert closed(morning, "2026-03-08 01:59", NEW_YORK) == ""
    assert closed(morning, "2026-03-08 03:00", NEW_YORK) == "03-08 09:00"
    inside = [Weekly(frozenset({6}), 2 * 60 + 10, 2 * 60 + 50, NEW_YORK)]
    assert closed(inside, "2026-03-08 03:10", NEW_YORK) == "", "a window that no clock shows never is"


def test_a_window_that_ends_in_the_hour_that_comes_twice_ends_the_second_time() -> None:
    night = [Weekly(frozenset({5}), 22 * 60, 60 + 30, NEW_YORK)]
    assert closed(night, "2026-11-01 01:45", NEW_YORK, fold=0) == "11-01 01:30", "it does not open in between"
    found = holding(night, at("2026-11-01 01:10", NEW_YORK, fold=0))
    assert found
    assert found.end == datetime(2026, 11, 1, 6, 30, tzinfo=UTC).timestamp()
    assert closed(night, "2026-11-01 01:29", NEW_YORK, fold=1) == "11-01 01:30"
    assert closed(night, "2026-11-01 01:30", NEW_YORK, fold=1) == ""


def test_a_window_that_begins_in_the_hour_that_comes_twice_begins_the_first_time() -> None:
    morning = [Weekly(frozenset({6}), 60 + 30, 9 * 60, NEW_YORK)]
    assert closed(morning, "2026-11-01 01:29", NEW_YORK, fold=0) == ""
    assert closed(morning, "2026-11-01 01:30", NEW_YORK, fold=0) == "11-01 09:00"
    assert closed(morning, "2026-11-01 01:10", NEW_YORK, fold=1) == "11-01 09:00"


def test_a_day_of_23_or_25_hours_is_closed_from_its_first_to_its_last_minute() -> None:
    sunday = [Weekly(frozenset({6}), 0, 1440, NEW_YORK)]
    for day, hours in (("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-08", 24)):
        found = holding(sunday, at(f"{day} 00:00", NEW_YORK))
        assert found
        assert found.end == at(f"{day} 00:00", NEW_YORK) + hours * 3600


def test_a_day_whose_midnight_is_skipped_is_closed_from_the_jump_on() -> None:
    """Cairo, Friday 2026-04-24: 00:00 becomes 01:00."""
    friday = [Weekly(frozenset({4}), 0, 1440, "Africa/Cairo")]
    jump = datetime(2026, 4, 23, 22, 0, tzinfo=UTC).timestamp()
    assert holding(friday, jump - 1) is None
    assert holding(friday, jump) == Freeze(at("2026-04-25 00:00", "Africa/Cairo"))


def test_a_day_that_a_zone_skips_is_never_closed() -> None:
    """Samoa had no 2011-12-30, a Friday."""
    friday = [Weekly(frozenset({4}), 0, 1440, "Pacific/Apia")]
    for hour in range(-30, 54):
        assert holding(friday, at("2011-12-31 00:00", "Pacific/Apia") + hour * 3600) is None


ZONES = st.sampled_from([SEOUL, NEW_YORK, "UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"])
TIMES = st.integers(0, 1439)


@st.composite
def weekly(draw: st.DrawFn) -> Weekly:
    start, end = draw(TIMES), draw(st.integers(1, 1440))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1, max_size=6))
    return Weekly(days, start, end if end != start else 1440, draw(ZONES))


@given(weekly(), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - made aware below
def test_the_wall_is_right_whenever_its_clock_does_not_jump(window: Weekly, moment: datetime) -> None:
    """A second way to the same answer: look at the wall's clock, as a person would."""
    now = moment.replace(tzinfo=UTC)
    zone = ZoneInfo(window.zone)
    wall = now.astimezone(zone)
    if len({(wall + timedelta(hours=h)).utcoffset() for h in range(-54, 55, 6)}) > 1:
        return
    minute, day = wall.hour * 60 + wall.minute, wall.weekday()
    if window.end > window.start:
        expected = day in window.days and window.start <= minute < window.end
    else:
        today = day in window.days and minute >= window.start
        expected = today or ((day - 1) % 7 in window.days and minute < window.end)
    assert (holding([window], now.timestamp()) is not None) is expected


@given(st.lists(weekly(), max_size=3), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - as above
def test_a_freeze_ends_exactly_when_it_says(windows: list[Window], moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC).timestamp()
    found = holding(windows, now)
    if found and found.end:
        assert found.end > now
        assert holding(windows, found.end) is None
        assert holding(windows, found.end - 1) is not None or found.end - 1 < now


def test_zones_are_known_where_the_system_has_none() -> None:
    """Lambda's image promises no time zone database: the layer brings it."""
    code = "from zoneinfo import ZoneInfo, TZPATH; assert not TZPATH; print(ZoneInfo('Asia/Seoul'))"
    environment = {**os.environ, "PYTHONTZPATH": ""}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30)
    assert said.stdout.strip() == SEOUL, said.stderr
    layer = Path(__file__).parents[2] / "lambdas" / "shared" / "requirements.txt"
    assert re.search(r"^tzdata==", layer.read_text(), re.MULTILINE)


# in targets.yaml


def read(tmp_path: Path, text: str) -> tuple[Window, ...]:
    file = tmp_path / "targets.yaml"
    file.write_text(f"targets:\n  prod:\n    repository: acme/shop\n    freeze:\n{text}", "utf-8")
    return load(file, {})["prod"].freeze


def test_every_form_that_a_window_may_have(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
      - {days: [sat, Sunday], zone: Asia/Seoul}
      - {days: [fri], from: "16:00", to: "24:00", zone: Asia/Seoul}
      - {days: [fri], from: 16:00, to: 24:00, zone: Asia/Seoul}
      - {from: "22:00", to: 6:00}
      - {days: [mon], to: 09:30}
      - {from: 2026-12-24, to: 2026-12-27, zone: America/New_York, reason: year-end}
      - {from: 2026-12-31 18:00, to: 2027-01-02T09:00}
""",
    )
    wall = datetime.fromisoformat
    assert found == (
        WEEKEND,
        FRIDAY,
        FRIDAY,
        Weekly(frozenset(range(7)), 1320, 360, "UTC"),
        Weekly(frozenset({0}), 0, 570, "UTC"),
        Once(wall("2026-12-24"), wall("2026-12-28"), NEW_YORK, "year-end"),
        Once(wall("2026-12-31 18:00"), wall("2027-01-02 09:00"), "UTC"),
    )


def test_a_target_without_windows_is_never_frozen(tmp_path: Path) -> None:
    assert read(tmp_path, "      []\n") == ()
    assert Target("dev", "acme/shop", "dev_deploy").freeze == ()


@pytest.mark.parametrize(
    ("text", "line", "field", "problem"),
    [
        ("      {days: [sat]}", 5, "freeze", "should hold a list of windows"),
        ("      sat", 5, "freeze", "should hold a list of windows"),
        ("      - sat", 5, "freeze[0]", "should hold names and values"),
        ("      - {days: [sat]}\n      - {}", 6, "freeze[1]", "gives no time; it should have days, or from and to"),
        ("      - {zone: UTC}", 5, "freeze[0]", "gives no time"),
        (
            "      - {day: [sat]}",
            5,
            "freeze[0]",
            "unknown field 'day'; known are days, from, reason, to, zone",
        ),
        ("      - days: [mon,\n         sut]", 6, "freeze[0].days[1]", "should hold weekdays (mon, tue, "),
        ("      - {days: sat}", 5, "freeze[0].days", "should hold a list of weekdays"),
        ("      - {days: []}", 5, "freeze[0].days", "not an empty one"),
        ("      - {days: [[sat]]}", 5, "freeze[0].days[0]", "should hold a single value"),
        ("      - {days: [5]}", 5, "freeze[0].days[0]", "should hold weekdays"),
        ("      - days: [sat]\n        zone: Asia/Soul", 6, "freeze[0].zone", "did you mean Asia/Seoul?"),
        ("      - {days: [sat], zone: 9}", 5, "freeze[0].zone", "should hold a text"),
        ("      - {days: [sat], zone: ../UTC}", 5, "freeze[0].zone", "a time zone of the IANA database"),
        ("      - {days: [sat], zone: Asia}", 5, "freeze[0].zone", "a time zone of the IANA database"),
        (
            '      - {days: [sat], from: "24:00"}',
            5,
            "freeze[0].from",
            "a time from 00:00 to 23:59, or a date, not '24:00'",
        ),
        ('      - {days: [sat], to: "24:01"}', 5, "freeze[0].to", "a time from 00:01 to 24:00, or a date, not '24:01'"),
        ('      - {days: [sat], to: "00:00"}', 5, "freeze[0].to", "a time from 00:01 to 24:00"),
        ('      - {days: [sat], from: "9"}', 5, "freeze[0].from", "a time from"),
        ('      - {days: [sat], from: "09:60"}', 5, "freeze[0].from", "a time from"),
        ("      - {days: [sat], from: 09:00, to: 9:00}", 5, "freeze[0]", "begins and ends at the same time"),
        ("      - {days: [sat], from: 2026-12-24, to: 2026-12-27}", 5, "freeze[0]", "has days and dates"),
        ("      - {from: 2026-12-24}", 5, "freeze[0]", "lacks to"),
        ("      - {to: 2026-12-24}", 5, "freeze[0]", "lacks from"),
        ("      - {from: 2026-12-27, to: 2026-12-24}", 5, "freeze[0]", "ends before it begins"),
        ("      - {from: 2026-12-24, to: 18:00}", 5, "freeze[0].to", "should hold a date like the other one"),
        ("      - {from: 16:00, to: 2026-12-24}", 5, "freeze[0].from", "should hold a date like the other one"),
        ("      - from: 2026-12-24\n        to: 2026-12-32", 6, "freeze[0].to", "there is no 2026-12-32"),
        ("      - {from: 2026-02-28, to: 2026-02-29}", 5, "freeze[0].to", "there is no 2026-02-29"),
        ("      - {from: 2026-12-24 25:00, to: 2026-12-25}", 5, "freeze[0].from", "there is no 2026-12-24 25:00"),
        ("      - {from: 1926-12-24, to: 1926-12-25}", 5, "freeze[0].from", "or a date, not '1926-12-24'"),
        ('      - {days: [sat], reason: ""}', 5, "freeze[0].reason", "up to 100 characters"),
    ],
)
def test_what_cannot_be_is_said_with_file_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, problem: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        read(tmp_path, f"{text}\n")
    said = refused.value.text
    assert said.startswith(f"targets.yaml, line {line}, targets.prod.{field}: "), said
    assert problem in said


# breaking the glass: the words


@pytest.mark.parametrize(
    ("text", "version", "target", "reason", "dry_run"),
    [
        ("v1.2.3 prod --break-glass payments are down", "v1.2.3", "prod", "payments are down", False),
        ("v1.2.3 prod —break-glass payments are down", "v1.2.3", "prod", "payments are down", False),
        ("prod v1.2.3 --BREAK-GLASS fix", "v1.2.3", "prod", "fix", False),
        ("--break-glass v1.2.3 prod payments are down", "v1.2.3", "prod", "payments are down", False),
        ("v1.2.3 --break-glass prod is down", "v1.2.3", "prod", "is down", False),
        ("v1.2.3 prod --break-glass v1.2.2 leaks", "v1.2.3", "prod", "v1.2.2 leaks", False),
        ("prod --break-glass users cannot pay", "", "prod", "users cannot pay", False),
        ("v1.2.3 prod --dry-run --break-glass down", "v1.2.3", "prod", "down", True),
        ("v1.2.3 prod --break-glass down --dry-run", "v1.2.3", "prod", "down", True),
        ("v1.2.3 prod --break-glass it is <urgent> & `real`", "v1.2.3", "prod", "it is <urgent> & `real`", False),
        ("v1.2.3 prod --break-glass " + "x" * 900, "v1.2.3", "prod", "x" * 500, False),
    ],
)
def test_what_follows_break_glass_is_the_reason(
    text: str, version: str, target: str, reason: str, dry_run: bool
) -> None:
    found = command_text.parse_deploy(text, ["dev", "prod"])
    assert found == command_text.Command(
        "deploy", version=version, target=target, reason=reason, dry_run=dry_run, break_glass=True
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("v1.2.3 prod --break-glass", "break_glass_reason"),
        ("--break-glass", "break_glass_reason"),
        ("v1.2.3 prod --break-glass \u200b \u3164 \ufe0f", "break_glass_reason"),
        ("v1.2.3 prod --break-glass --dry-run", "break_glass_reason"),
        ("v1.2.3 prod --break-glass --force now", "unknown_option"),
        ("v1.2.3 prod --break-glass dev is down", "two_targets"),
        ("v1.2.3 pord --break-glass down", "unknown_target"),
        ("v1.2.3 prod --break-glas down", "unknown_option_meant"),
        ("v1.2.3 prod because", "unknown_word"),
    ],
)
def test_where_it_is_doubtful_what_is_meant_nothing_is_started(text: str, key: str) -> None:
    found = command_text.parse_deploy(text, ["dev", "prod"])
    assert found.mistake
    assert found.mistake.key == key


def test_a_rollback_needs_no_glass_broken_and_minds_nobody_who_tries() -> None:
    found = command_text.parse_rollback("v1.2.2 prod --break-glass payments are down", ["dev", "prod"])
    assert found == command_text.Command("rollback", version="v1.2.2", target="prod", reason="payments are down")


def test_the_execution_is_told(environment: pytest.MonkeyPatch) -> None:
    asked = command_text.parse_deploy("v1.2.3 dev --break-glass down", ["dev"])
    text = commands.execution_input({"user_id": "U0LEE0001"}, asked)
    assert '"break_glass": true' in text
    assert '"reason": "down"' in text
    assert "break_glass" not in commands.execution_input({}, command_text.parse_deploy("v1.2.3 dev", ["dev"]))


KNOWN = {"prod": Target("prod", "acme/shop", "prod_deploy")}


def test_the_input_is_checked() -> None:
    asked = {"command": "deploy", "target": "prod", "version": "v1", "break_glass": True, "reason": "down"}
    found = request.read(asked, KNOWN)
    assert (found.break_glass, found.reason) == (True, "down")
    assert request.read({"command": "deploy", "target": "prod"}, KNOWN).break_glass is False
    empty = {
        "reason": "\u3164\u2800"
    }  # what people type where a field wants anything: Hangul's filler, an empty Braille cell
    for change, key in (
        ({"reason": "  "}, "break_glass_reason"),
        (empty, "break_glass_reason"),
        ({"break_glass": "yes"}, "not_a_boolean"),
    ):
        with pytest.raises(Refusal) as refused:
            request.read({**asked, **change}, KNOWN)
        assert refused.value.key == key
    assert request.read({**asked, "command": "rollback", "reason": ""}, KNOWN).break_glass is True


# breaking the glass: the plan


@pytest.fixture
def saturday(monkeypatch: pytest.MonkeyPatch) -> float:
    now = at("2026-12-05 12:00")
    monkeypatch.setattr(clock, "now", lambda: now)
    return now


@pytest.fixture
def prod(rows: Table, environment: pytest.MonkeyPatch) -> Target:
    """The one target `prod`, frozen at weekends; GitHub and Slack are as simple as can be."""
    rules = Policy(approvers=("U0LEE0001", "U0KIM0001"), approver_groups=("S0PLATF01",), deploy_approval=True)
    target = Target("prod", "acme/shop", "prod_deploy", policy=rules, freeze=(WEEKEND,))
    environment.setattr(plan, "targets", lambda: {"prod": target})
    environment.setattr("chatops.steps.target_lock.targets", lambda: {"prod": target})
    environment.setattr(plan, "table", lambda: rows)
    environment.setattr("chatops.steps.target_lock.table", lambda: rows)
    environment.setattr(plan, "github", lambda *_, **__: object())
    environment.setattr(plan.candidate, "resolve", lambda *_: plan.candidate.Candidate("v1.2.3", "4f0c1aa"))
    environment.setattr(people, "workspace", lambda **_: people.Workspace("T0ACME001"))
    environment.setattr(people, "person", lambda *_, **__: people.Person(None))
    environment.setattr(people, "can_post", lambda _: True)
    environment.setattr(people, "group", lambda _group, **_: frozenset({"U0MIN0001"}))
    return target


def planned(user: str = "U0DANA001", **more: Any) -> dict[str, Any]:
    asked = {"command": "deploy", "version": "v1.2.3", "target": "prod", "requester": {"id": user}, **more}
    arn = "arn:aws:states:us-east-1:123456789012:execution:x:d-1"
    return call(plan.run, {"deployment_id": "d-1", "execution_arn": arn, "request": asked})


def test_a_deploy_during_a_freeze_is_refused_with_its_end_and_the_way_out(
    prod: Target, saturday: float, rows: Table
) -> None:
    found = planned()
    assert found["verdict"] == "refused"
    assert found["refusal"]["key"] == "frozen"
    assert found["refusal"]["text"] == (
        "*prod* is frozen until 2026-12-06T15:00:00.000Z. Nothing was started. What runs there now isn't known. "
        "If it can't wait, an approver can deploy: `/platform-deploy v1.2.3 prod --break-glass REASON`. Rollbacks "
        "always work."
    )
    assert deployments.get(rows, "d-1") is None


def test_when_the_freeze_is_over_the_plan_goes_ahead(prod: Target, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(clock, "now", lambda: at("2026-12-07 00:00"))
    found = planned()
    assert (found["verdict"], found["break_glass"]) == ("go", {})


@pytest.mark.parametrize("user", ["U0LEE0001", "U0MIN0001"])
def test_an_approver_breaks_the_glass_and_it_is_recorded(prod: Target, saturday: float, rows: Table, user: str) -> None:
    found = planned(user, break_glass=True, reason="payments are down")
    assert found["verdict"] == "go"
    assert found["break_glass"] == {"by": user, "reason": "payments are down"}
    assert user not in found["approval"]["eligible"], "the glass is broken, the approval still needs somebody else"
    assert stored.record_of(rows, "d-1").plan.break_glass == BreakGlass(user, "payments are down")


def test_whoever_may_not_approve_may_not_break_the_glass(prod: Target, saturday: float) -> None:
    found = planned(break_glass=True, reason="I want to")
    assert (found["verdict"], found["refusal"]["key"]) == ("refused", "glass_not_you")


def test_without_a_reason_the_glass_stays_whole(prod: Target, saturday: float) -> None:
    assert planned("U0LEE0001", break_glass=True)["refusal"]["key"] == "break_glass_reason"


def test_an_operator_in_the_console_may_break_it(prod: Target, saturday: float) -> None:
    """Who may start executions there could name any requester anyway; the record says that it was an operator."""
    assert planned("", break_glass=True, reason="Slack is down")["break_glass"] == {"by": "", "reason": "Slack is down"}


def test_outside_a_freeze_there_is_no_glass_to_break(prod: Target, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(clock, "now", lambda: at("2026-12-04 12:00"))
    found = planned(break_glass=True, reason="just in case")
    assert (found["verdict"], found["break_glass"], found["reason"]) == ("go", {}, "just in case")


def test_a_dry_run_says_what_the_freeze_would_do(prod: Target, saturday: float, rows: Table) -> None:
    assert planned(dry_run=True)["refusal"]["key"] == "frozen"
    found = planned("U0LEE0001", dry_run=True, break_glass=True, reason="payments are down")
    assert found["verdict"] == "dry_run"
    shown = reports.dry_run(views.plan_of(found))
    assert "*During a freeze*\n<@U0LEE0001>: payments are down" in str(shown["blocks"][1]["fields"][-2]["text"])
    assert deployments.get(rows, "d-1") is None


def test_a_rollback_minds_no_freeze(prod: Target, saturday: float) -> None:
    """There is nothing to go back to here, and that is all that is said."""
    assert planned(command="rollback", version="")["refusal"]["key"] == "no_way_back"


def test_a_locked_target_is_refused_as_a_frozen_one_and_the_glass_is_broken_alike(
    prod: Target, rows: Table, environment: pytest.MonkeyPatch
) -> None:
    friday = at("2026-12-04 12:00")
    environment.setattr(clock, "now", lambda: friday)
    stored.lock(rows, "prod", Lock("U0KIM0001", "migration", friday, friday + 3600))
    found = planned()
    assert (found["verdict"], found["refusal"]["key"]) == ("refused", "frozen")
    assert found["refusal"]["text"].startswith(
        "*prod* takes no deployments until 2026-12-04T04:00:00.000Z: U0KIM0001 has locked it (migration). To unlock "
        "it: `/platform-deploy unlock prod`. Nothing was started."
    )
    assert planned(break_glass=True, reason="I want to")["refusal"]["key"] == "glass_not_you"
    assert planned(command="rollback", version="")["refusal"]["key"] == "no_way_back", "a rollback minds no lock"
    glass = planned("U0LEE0001", break_glass=True, reason="payments are down")["break_glass"]
    assert glass == {"by": "U0LEE0001", "reason": "payments are down"}


def test_a_target_that_names_no_approvers_says_what_to_change() -> None:
    lonely = Target("prod", "acme/shop", "prod_deploy", freeze=(WEEKEND,))
    with pytest.raises(Refusal) as refused:
        approvers.break_glass(lonely, "U0LEE0001")
    assert refused.value.key == "glass_nobody"


def test_a_freeze_without_an_end_says_so(prod: Target, saturday: float, environment: pytest.MonkeyPatch) -> None:
    always = Target("prod", "acme/shop", "p", freeze=(Weekly(frozenset(range(7)), 0, 1440, SEOUL, "audit"),))
    environment.setattr(plan, "targets", lambda: {"prod": always})
    found = planned()
    assert found["refusal"]["key"] == "frozen"
    assert "until further notice (audit)" in found["refusal"]["text"]
    assert "until further notice (audit)" in say("frozen", Reason.from_json(found["refusal"]).values)


# breaking the glass: the message


@pytest.mark.parametrize("language", config.LANGUAGES)
def test_everybody_sees_why_it_was_approved_during_a_freeze(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_LANG", language)
    state = views.STATES["rollout"]
    assert state["approval"]["decision"] == "approved"
    made = {**state, "approval": {**state["approval"], "reason": "<!channel> payments"}}
    shown = str(card.message(views.seen(made))["blocks"])
    assert shown.count("&lt;!channel&gt; payments") == 1


@pytest.mark.parametrize("language", config.LANGUAGES)
@pytest.mark.parametrize("name", ["planned", "approval", "rollout", "Deployed", "Rolled Back"])
def test_everybody_sees_who_broke_the_glass_and_why(name: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_LANG", language)
    state = views.STATES[name]
    glass = {"by": "U0LEE0001", "reason": "<!channel> payments"}
    broken = {**state, "plan": {**views.PLAN, "reason": glass["reason"], "break_glass": glass}}
    fields = [f["text"] for b in card.message(views.seen(broken))["blocks"] for f in b.get("fields", [])]
    shown = [f for f in fields if "&lt;!channel&gt; payments" in f]
    assert shown == [f for f in fields if "<@U0LEE0001>" in f]
    assert len(shown) == 1, "once, and not a second time as the reason"
