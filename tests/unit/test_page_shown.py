"""What a deployment's page shows, as docs/page.md has it: phases, decisions, timeline and runs, in people's words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatops import aws
from chatops.domain import codec
from chatops.domain.page_facts import Facts
from chatops.domain.question import Question
from chatops.domain.results import RolloutResult, StageResult
from chatops.messages import page as texts
from chatops.messages.page_phases import phases
from chatops.store import cancels, questions, results
from chatops.store.table import Table
from tests.unit import views
from tests.unit.conftest import Time
from tests.unit.page_requests import DANA, ID, LEE, STARTED, asked, built, ended, planned, rejected, shown

Json = dict[str, Any]
DOCUMENT = Path(__file__).parents[2] / "docs" / "page.md"


@pytest.fixture
def page(rows: Table, time: Time, environment: pytest.MonkeyPatch) -> Table:
    dynamodb = rows._client
    environment.setattr(aws, "client", lambda *_, **__: dynamodb)
    time.at = STARTED + 60
    return rows


def strip(found: Json) -> str:
    """`plan done, build current, …`"""
    return ", ".join(f"{one['key']} {one['state']}" for one in found["phases"])


def told(found: Json) -> list[str]:
    return [one["text"] for one in found["timeline"]]


def test_a_deployment_that_waits_for_its_approval(page: Table, time: Time) -> None:
    planned(page)
    built(page)
    time.at = STARTED + 100
    asked(page)
    page.put({"pk": f"PERSON#{LEE}", "sk": "STANDING", "standing": "member", "name": "Lee"})
    found = shown(page)
    wanted = "plan done, build done, approval current, deploy waiting, rollout waiting, done waiting"
    assert strip(found) == wanted
    waits = found["phases"][2]
    assert (waits["name"], waits["said"], waits["detail"]) == ("Approval", "under way", "<@U0LEE0001> or <@U0KIM0001>")
    assert found["phases"][1]["took"] == "1m 05s"
    assert found["names"] == {DANA: "dana", LEE: "Lee"}
    assert told(found) == [
        "<@U0DANA001> asked to deploy `v1.2.3` to *prod*",
        "🔄 Build <https://github.com/acme/checkout-api/actions/runs/30433642|#4411> started",
        "✅ Build <https://github.com/acme/checkout-api/actions/runs/30433642|#4411> succeeded (1m 05s)",
        "⏳ Waiting for <@U0LEE0001> or <@U0KIM0001>",
    ]
    assert (found["end"], found["poll_seconds"], found["ended_at"]) == ("", 3, None)
    assert [one["number"] for one in found["runs"]] == [4411]
    assert found["console"].startswith("https://us-east-1.console.aws.amazon.com/states/")


def test_one_that_was_rejected(page: Table, time: Time) -> None:
    planned(page)
    built(page)
    asked(page)
    time.at = STARTED + 230
    rejected(page, "Not on a Friday.")
    ended(page, "Rejected", "2025-10-09T08:57:10.000Z", by=LEE)
    found = shown(page)
    wanted = "plan done, build done, approval stopped, deploy skipped, rollout skipped, done stopped"
    assert strip(found) == wanted
    assert told(found)[-2:] == [
        "⏹️ <@U0LEE0001> rejected it after 2m 10s: “Not on a Friday.”",
        "⏹️ Rejected: v1.2.3 → prod",
    ]
    assert found["summary"].startswith("<@U0LEE0001> rejected it after 2m 10s: “Not on a Friday.”")
    assert (found["end"], found["poll_seconds"]) == ("Rejected", None)


def test_a_pause_that_was_decided_since_the_rollout_was_looked_at(page: Table, time: Time) -> None:
    planned(page)
    results.keep(page, ID, "rollout", codec.read(RolloutResult, views.PAUSED))
    questions.ask(page, ID, Question(STARTED + 300, STARTED + 900, mark="0a1b2c3d4e5f", stage="BAKE_TIME", traffic=10))
    questions.address(page, ID, "0a1b2c3d4e5f", (LEE,))
    found = shown(page)
    assert [one["detail"] for one in found["phases"] if one["key"] == "rollout"] == ["during bake time (10%)"]
    assert "⏸️ Paused during bake time (10%)" in told(found)
    time.at = STARTED + 400
    questions.record(page, ID, questions.Answer.PROMOTED, LEE, mark="0a1b2c3d4e5f")
    assert "✅ Promoted during bake time (10%) by <@U0LEE0001> after 1m 40s" in told(shown(page))


def test_a_rollout_that_failed_and_its_rollback(page: Table) -> None:
    planned(page)
    results.keep(page, ID, "rollout", codec.read(RolloutResult, views.BREAKER))
    found = shown(page)
    assert "rollout failed, rollback current" in strip(found)
    assert [one["detail"] for one in found["phases"] if one["key"].startswith("roll")] == ["", "`v1.2.2`"]


def test_what_a_rollback_leaves_no_room_for_is_skipped_and_an_approval_that_nobody_needed_isnt_shown() -> None:
    failed = {**views.BUILT, "stage": "deploy", "state": "failed"}
    state = {"plan": views.PLAN, "build": views.BUILT, "approval": {"decision": "not_needed"}, "deploy": failed}
    found = phases(views.seen({**state, "rollback": {"how": "asked"}}))
    wanted = "plan done, build done, deploy failed, rollout skipped, rollback current, done waiting"
    assert ", ".join(f"{one.key} {one.state}" for one in found) == wanted
    pipeline = {**views.PLAN, "kind": "none"}
    state |= {"plan": pipeline, "rollback": {**views.BUILT, "stage": "rollback"}, "outcome": {"end": "Rolled Back"}}
    assert [one.state for one in phases(views.seen(state)) if one.key == "rollback"] == ["done"]


def test_a_cancel_stands_in_the_timeline(page: Table) -> None:
    planned(page)
    cancels.record(page, ID, DANA)
    assert told(shown(page))[-1] == "⏹️ <@U0DANA001> cancelled it"


def test_nothing_that_opens_something_is_shown(page: Table) -> None:
    """No ticket, no token, no Slack address: what is shown is picked, not passed on."""
    planned(page)
    built(page)
    page.put({"pk": f"DEPLOYMENT#{ID}", "sk": "WAIT", "n": 1, "token": "the task's token"})
    page.put({"pk": f"DEPLOYMENT#{ID}", "sk": "MESSAGE", "channel": "C0SECRET1", "ts": "1.2"})
    row = page.get(f"DEPLOYMENT#{ID}", "STAGE#build")
    assert row is not None
    text = json.dumps(shown(page))
    assert [secret for secret in (row["ticket"], "the task's token", "C0SECRET1") if secret in text] == []


MARKUP = "<script>alert(1)</script><!channel> <@U0EVIL001> &lt; *x* `y` \u202e"


def test_markup_that_people_and_services_wrote_stays_text(page: Table, time: Time) -> None:
    planned(page, title=MARKUP, reason=MARKUP, version="v1<b>", url=f"javascript:alert(1)//{MARKUP}")
    run = {**views.BUILT, "run_url": "javascript:alert(1)", "state": "failed", "step": MARKUP, "job": MARKUP}
    results.keep(page, ID, "build", codec.read(StageResult, run))
    asked(page)
    rejected(page, MARKUP)
    found = shown(page)
    marked = [found["summary"], *found["fields"], *found["lines"], *told(found)]
    text = "\n".join([*marked, *(one["detail"] for one in found["phases"])])
    for tag in re.findall(r"<[^<>]*>", text):
        assert re.fullmatch(r"<(@[UW]\w+|!date\^\d+\^[^|]*\|[^|]*|https://[^|<>]*\|[^<>]*)>", tag), tag
    assert "<@U0EVIL001>" not in text
    assert "\u202e" not in text
    assert "javascript:" not in json.dumps([found["runs"], found["console"]])


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", sorted({**views.PHASES, **views.ENDS}))
def test_every_phase_and_end_is_shown_in_both_languages(
    name: str, language: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("CHATOPS_LANG", language)
    seen = views.seen({**views.PHASES, **views.ENDS}[name])
    found = phases(seen)
    states = [one.state for one in found]
    assert [one.key for one in found[:1] + found[-1:]] == ["plan", "done"]
    assert len({one.key for one in found}) == len(found)
    assert states.count("current") == (0 if seen.end else 1), [(one.key, one.state) for one in found]
    assert all(one.name and one.said for one in found)
    page = texts.shown(Facts(seen.deployment), seen.execution_url)
    said = "".join([page["title"], page["summary"], *page["fields"], *page["lines"], *told(page)])
    assert not set("{}") & set(re.sub(r"<!date[^>]*>", "", said))


def test_the_document_describes_every_field(page: Table) -> None:
    planned(page)
    built(page)
    found, described = shown(page), set(re.findall(r"^\| `([\w.\[\]]+)` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    inner = {f"{key}[].{name}" for key in ("phases", "timeline", "runs") for name in found[key][0]}
    assert described == {*found, *inner}
    assert f"`version` is {texts.VERSION}" in DOCUMENT.read_text("utf-8")
