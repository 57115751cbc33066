"""What the page says of an execution in people's words: the list, the strip, the timeline, whom one may act as."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from typing import Any

import pytest

from chatops.messages.catalogue import texts
from fakes.slack.directory import U_DEV, U_KIM, U_LEE, U_OUT
from local.page.offers import REFUSALS, offered
from local.page.server import Page
from tests.unit.page_session import START, Session, entered, event, exited

ASKED = {"command": "deploy", "target": "dev", "version": "v1.2.3", "requester": {"id": U_DEV, "name": "dana"}}
APPROVAL = {"required": True, "eligible": [U_LEE, U_KIM], "quorum": 1, "seconds": 60}
PLAN = {
    "schema": 1,
    "verdict": "go",
    "command": "deploy",
    "target": "dev",
    "kind": "ecs",
    "version": "v1.2.3",
    "sha": "e3c8241a6e08",
    "url": "https://github.com/acme/shop/commit/e3c8241a6e08",
    "requester": {"id": U_DEV, "name": "dana"},
    "approval": APPROVAL,
    "started_at": START.timestamp(),
}
BUILD = {"stage": "build", "state": "succeeded", "done": True, "claimed": True, "run_number": 4}
DEPLOY = {**BUILD, "stage": "deploy", "run_number": 5}
APPROVED = {"decision": "approved", "by": U_LEE, "votes": {U_LEE: START.timestamp() + 9}, "seconds": 2.0}
HEALTHY = {"state": "healthy", "done": True, "running": 4, "desired": 4}
OVER = {"Rollout": HEALTHY, "Deploy": DEPLOY, "Approval": APPROVED, "Build": BUILD}


class Run:
    """An execution that passes states, one every two seconds; each adds what it knows."""

    def __init__(self, asked: dict[str, Any] | None = None) -> None:
        given = json.dumps(asked or ASKED)
        self.events = [event(1, "ExecutionStarted", executionStartedEventDetails={"input": given})]
        self.known: dict[str, Any] = {}

    def enter(self, name: str) -> Run:
        at = len(self.events) + 1
        self.events.append(entered(at, name, at, input=json.dumps(self.known)))
        return self

    def leave(self, name: str, **known: Any) -> Run:
        self.known |= known
        at = len(self.events) + 1
        self.events.append(exited(at, name, at, output=json.dumps(self.known)))
        return self

    def passed(self, name: str, **known: Any) -> Run:
        return self.enter(name).leave(name, **known)

    def told(self, status: str = "RUNNING") -> dict[str, Any]:
        session = Session()
        ended = {} if status == "RUNNING" else {"stopDate": START + dt.timedelta(seconds=60)}
        session.sfn.add("d-1", status, self.events, **ended)
        with closing(Page(session)) as page:
            client = page.app.test_client()
            found: dict[str, Any] = client.get("/api/executions/d-1").json["story"]
            return found | {"label": client.get("/api/executions").json["executions"][0]["label"]}


def planned() -> Run:
    return Run().passed("Plan", plan=PLAN)


def looks(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["name"], one["look"], one["note"]) for one in told["phases"]]


def strip(told: dict[str, Any]) -> list[str]:
    """`Plan: done, 1s` of each phase."""
    return [": ".join((name, ", ".join(filter(None, rest)))) for name, *rest in looks(told)]


def lines(told: dict[str, Any]) -> list[str]:
    return [one["text"] for one in told["timeline"]]


def test_a_deployment_that_waits_for_people() -> None:
    told = planned().passed("Build", build=BUILD).enter("Approval").leave("Read Decision", approval={
        "decision": "pending", "eligible": [U_LEE, U_KIM], "votes": {}
    }).told()  # fmt: skip
    end = (told["title"], told["by"], told["end"], told["tone"])
    assert end == ("v1.2.3 → dev", "dana", "Waiting for approval", "wait")
    assert told["label"] == "v1.2.3 → dev · dana · Waiting for approval"
    begun = ["Plan: done, 1s", "Build: done, 1s · #4", "Approval: now, @lee or @kim"]
    assert strip(told) == [*begun, "Deploy: ", "Rollout: ", "Done: "]
    assert lines(told) == [
        f"<@{U_DEV}> asked to deploy `v1.2.3` to *dev*",
        "*dev* reserved; `v1.2.3` is commit <https://github.com/acme/shop/commit/e3c8241a6e08|e3c8241>",
        "Build #4 passed",
        f"Waiting for <@{U_LEE}> or <@{U_KIM}>",
    ]
    assert [one["now"] for one in told["timeline"]] == [False, False, False, True]


def test_a_deployment_that_is_live() -> None:
    run = planned()
    for name, result in reversed(OVER.items()):
        run.passed(name, **{name.lower(): result})
    told = run.enter("Deployed").leave("", outcome={"end": "Deployed", "seconds": 20.0}).told("SUCCEEDED")
    assert told["label"] == "v1.2.3 → dev · dana · Deployed"
    assert [look for _, look, _ in looks(told)] == ["done"] * 6
    assert strip(told)[2:5] == ["Approval: done, 2s · @lee", "Deploy: done, 1s · #5", "Rollout: done, 1s · 4/4"]
    assert lines(told)[3:] == [
        "Asked for an approval",
        f"<@{U_LEE}> approved",
        "Deploy job #5 finished",
        "Rolled out and healthy: 4 tasks",
        "*v1.2.3 is live in dev*",
    ]
    assert [round(one["seconds"] or 0) for one in told["timeline"]][1:3] == [1, 1]


REJECTED = {"decision": "rejected", "by": U_KIM, "reason": "not <b>now</b>", "seconds": 2.0}


def test_what_people_end_is_neutral_and_says_who() -> None:
    run = planned().passed("Build", build=BUILD).passed("Approval", approval=REJECTED).enter("Rejected")
    told = run.leave("", outcome={"end": "Rejected"}).told("SUCCEEDED")
    assert (told["end"], told["tone"]) == ("Rejected", "neutral")
    left = ["Approval: stopped, 2s · @kim", "Deploy: skipped", "Rollout: skipped", "Done: stopped, Rejected"]
    assert strip(told)[2:] == left
    assert f"<@{U_KIM}> rejected it: “not &lt;b&gt;now&lt;/b&gt;”" in lines(told)


def test_a_rollout_under_way_claims_no_more_than_the_service_says() -> None:
    moving = {"state": "moving", "running": 4, "desired": 4, "pending": 2}
    told = planned().passed("Build", build=BUILD).enter("Rollout").leave("Check Rollout", rollout=moving).told()
    assert told["end"] == "Rolling out"
    assert lines(told)[-1] == "Rolling out: 4 of 4 tasks running, 2 pending"


def test_a_build_that_failed_is_failed_though_its_phase_was_passed() -> None:
    failed = {**BUILD, "state": "failed", "step": "Run the tests"}
    told = planned().passed("Build", build=failed).enter("Build Failed").told("FAILED")
    assert (told["end"], told["tone"]) == ("Build failed", "bad")
    assert looks(told)[1] == ("Build", "failed", "1s · #4")
    assert "Build #4 failed: Run the tests" in lines(told)


def test_a_rollback_takes_its_place_after_what_broke() -> None:
    run = planned().passed("Build", build=BUILD).passed("Approval", approval={"decision": "not_needed"})
    run.passed("Deploy", deploy=DEPLOY).passed("Rollout", rollout={"state": "failed", "done": True})
    told = run.enter("Rollback").told()
    assert [name for name, _, _ in looks(told)][-3:] == ["Rollout", "Rollback", "Done"]
    assert [look for _, look, _ in looks(told)][1:] == ["done", "done", "failed", "now", ""], "no approval was needed"
    assert (told["end"], told["tone"]) == ("Rolling back", "now")


def test_a_build_that_an_error_led_out_of_is_not_told_as_passed() -> None:
    under_way = {**BUILD, "state": "running", "done": False}
    told = planned().passed("Build", build=under_way).enter("Reconcile").told()
    assert looks(told)[1] == ("Build", "caught", "1s · #4")


def test_a_refused_request_and_a_dry_run_reach_nothing() -> None:
    refused = {**PLAN, "verdict": "refused", "refusal": {"key": "ask_in_channel"}}
    told = Run().passed("Plan", plan=refused).enter("Refused").leave("", outcome={"end": "Refused"}).told("SUCCEEDED")
    assert [look for _, look, _ in looks(told)] == ["stopped", *["skipped"] * 4, "stopped"]
    told = Run().passed("Plan", plan={**PLAN, "verdict": "dry_run"}).enter("Reported").told("SUCCEEDED")
    assert looks(told)[0] == ("Plan", "done", "1s · dry run")
    assert {look for _, look, _ in looks(told)[1:-1]} == {"skipped"}


def test_the_strip_is_in_the_bots_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_LANG", "ko")
    assert [name for name, _, _ in looks(planned().told())] == ["계획", "빌드", "승인", "배포", "롤아웃", "완료"]


def test_a_rollback_that_was_asked_for_has_a_strip_of_its_own() -> None:
    plan = {**PLAN, "command": "rollback", "version": "v1.0.0", "reason": "orders cannot be paid"}
    run = Run({**ASKED, "command": "rollback", "version": ""}).passed("Plan", plan=plan)
    asked = Run({**ASKED, "command": "rollback", "version": ""}).enter("Plan").told()
    assert [(name, look) for name, look, _ in looks(asked)] == [("Plan", "now"), ("Rollback", ""), ("Done", "")]
    run.passed("Approval", approval={"decision": "not_needed"}).passed("Rollback", restored=HEALTHY)
    told = run.enter("Restored").leave("", outcome={"end": "Restored"}).told("SUCCEEDED")
    assert told["label"] == "Roll back dev → v1.0.0 · dana · Rolled back"
    assert [(name, look) for name, look, _ in looks(told)] == [("Plan", "done"), ("Rollback", "done"), ("Done", "done")]
    assert lines(told)[0] == f"<@{U_DEV}> asked to roll *dev* back: “orders cannot be paid”"


def test_a_question_has_no_phases_and_an_unknown_input_does_no_harm() -> None:
    told = Run({**ASKED, "command": "status"}).enter("Reported").told("SUCCEEDED")
    assert (told["label"], told["phases"]) == ("Status of dev · dana · Answered", [])
    assert lines(told) == [f"<@{U_DEV}> asked what runs in *dev*", "Answered"]
    strange = Run()
    strange.events = [event(1, "ExecutionStarted", executionStartedEventDetails={"input": "null"})]
    assert strange.told("ABORTED")["end"] == "Stopped"
    older = Run().passed("Plan", plan={**PLAN, "schema": 99}).told()
    assert older["title"] == "v1.2.3 → dev"


@pytest.mark.parametrize("code", ["en", "ko"])
@pytest.mark.parametrize("key", REFUSALS)
def test_whoever_was_refused_for_who_they_are_is_offered_those_who_may(code: str, key: str) -> None:
    text = "⚠️ " + texts(code)[key].format(
        deciders=f"<@{U_LEE}>, <@{U_KIM}>", user=f"<@{U_LEE}>, <@{U_KIM}>", version="v1", target="dev"
    )
    assert offered(text, U_OUT, [U_DEV, U_LEE, U_KIM, U_OUT]) == [U_LEE, U_KIM]
    assert offered(text, U_LEE, [U_LEE]) == [], "neither oneself nor somebody whom nobody can act as"
    assert offered(text, None, [U_LEE]) == [], "what everybody reads refuses nobody"


def test_no_other_message_offers_anybody() -> None:
    assert offered(f"<@{U_LEE}> approved it 3 minutes ago.", U_OUT, [U_LEE, U_OUT]) == []
