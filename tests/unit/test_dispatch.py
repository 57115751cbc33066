"""dispatch looks once more before a version goes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Frozen, GitHubUnavailable
from chatops.domain.freeze import Lock, Weekly
from chatops.domain.plan import Plan
from chatops.domain.question import Answer, Question
from chatops.domain.reason import Reason
from chatops.domain.target import Target
from chatops.messages.english import english_text
from chatops.settings import targets
from chatops.steps import dispatch, freezes
from chatops.store import questions
from chatops.store.table import Table
from fakes.github import Fault
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.stage_session import ID, staged
from tests.unit.stored import lock, stage_of

ALWAYS = Weekly(frozenset(range(7)), 0, 1440, "UTC", "year-end")
PLAN: dict[str, Any] = {"target": "prod", "version": "v1.2.3"}


def look(rows: Table, plan: dict[str, Any], *windows: Weekly, stage: str = "deploy") -> Reason | None:
    """Why the stage doesn't go on; None where it does."""
    target, made = Target("prod", "acme/shop", "prod_deploy", freeze=windows), codec.read(Plan, plan)
    found = freezes.stopping(rows, "d-1", made, target, stage)
    return freezes.reason(found, made, target) if found else None


def test_a_freeze_or_a_lock_that_began_while_the_approval_waited_holds(rows: Table, time: Time) -> None:
    why = look(rows, PLAN, ALWAYS)
    assert why == Reason(
        "why_frozen",
        target="prod",
        version="v1.2.3",
        freeze=Reason("freeze_open", target="prod", by="", note=Reason("freeze_note", reason="year-end")),
    )
    lock(rows, "prod", Lock("U0LEE0001", "migration", time(), time() + 60))
    why = look(rows, PLAN)
    assert why
    assert english_text(why).startswith("*prod* takes no deployments until 2025-10-09T08:54:20.000Z: U0LEE0001 has")
    time.pass_by(60)
    assert look(rows, PLAN) is None, "a lock ends by itself"


def test_without_a_freeze_or_with_the_glass_broken_it_goes_out_and_a_rollback_always_does(rows: Table) -> None:
    assert look(rows, PLAN) is None
    lock(rows, "prod", Lock("U0LEE0001", "migration"))
    for windows in ([ALWAYS], []):
        assert look(rows, {**PLAN, "break_glass": {"by": "U0LEE0001", "reason": "outage"}}, *windows) is None
        assert look(rows, PLAN, *windows, stage="rollback") is None
        assert look(rows, {**PLAN, "command": "rollback"}, *windows) is None


@pytest.mark.parametrize(
    ("approved_at", "reason", "goes"),
    [(5, "the shop is down", True), (5, "", False), (-5, "looks good", False)],
    ids=["for a reason", "without one", "before the freeze began"],
)
def test_what_was_approved_during_a_freeze_for_a_reason_goes_out(
    rows: Table, time: Time, approved_at: float, reason: str, goes: bool
) -> None:
    began = time()
    stored.begin(rows, "d-1", "arn", PLAN)
    questions.ask(rows, "d-1", Question(began - 10, began + 600, ("U0LEE0001",)))
    time.at = began + approved_at
    questions.record(rows, "d-1", Answer.APPROVED, "U0LEE0001", reason)
    lock(rows, "prod", Lock("U0KIM0001", "migration", began, began + 3600))
    time.at = began + 60
    assert (look(rows, PLAN) is None) is goes


def test_a_deploy_stage_is_not_sent_during_a_freeze(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    with staged(rows, time, monkeypatch, "deploy") as session:
        target = replace(targets.targets()["dev"], freeze=(ALWAYS,))
        monkeypatch.setattr(targets, "_cached", lambda *_: {"dev": target})
        with pytest.raises(Frozen, match=r"dev. is frozen until further notice .*That began after"):
            session.dispatch()
        assert session.sent("/dispatches") == 0


def test_which_run_may_claim_is_written_down_before_its_event_is_sent(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staged(rows, time, monkeypatch, "build") as session:
        session.fake.faults.append(Fault("POST", "/dispatches", lose_reply=True))
        with pytest.raises(GitHubUnavailable):
            session.dispatch()
        assert session.row["expected"] == {
            "repository_id": str(session.fake.default_repository.id),
            "branch": "main",
            "workflow": ".github/workflows/dev_deploy.yml",
            "pipeline": "",
            "environment": "dev-build",
        }
        assert session.sent("/repos/acme/checkout-api", "GET") == 1
    with staged(rows, time, monkeypatch, "deploy", claim=False) as session:
        session.dispatch()
        assert session.sent("/repos/acme/checkout-api", "GET") == 0, "nobody claims it"


@pytest.mark.parametrize("branch", ["main", "trunk"])
def test_a_repository_that_is_as_at_the_stage_before_costs_no_request_of_the_rate_limit(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, branch: str
) -> None:
    """GitHub is asked all the same: what has changed meanwhile counts."""
    with staged(rows, time, monkeypatch, "build") as session:
        session.dispatch()
        repository = session.fake.default_repository
        repository.branches[branch] = repository.branches["main"]
        repository.default_branch = branch
        session.name = "deploy"
        session.dispatch()
        asked = [call.status for call in session.fake.calls if call.path == "/repos/acme/checkout-api"]
        assert asked == [200, 304 if branch == "main" else 200]
        number = str(repository.id)
        expected = stage_of(rows, ID, "deploy").expected
        assert (expected.repository_id, expected.branch, expected.environment) == (number, branch, "dev")


@pytest.mark.parametrize(
    ("pause_at", "wanted"),
    [((), "canary"), (("PRE_SCALE_UP", "POST_SCALE_UP"), "canary+PRE_SCALE_UP,POST_SCALE_UP")],
)
def test_where_it_pauses_travels_with_the_strategy(
    environment: pytest.MonkeyPatch, pause_at: tuple[str, ...], wanted: str
) -> None:
    deployment = Deployment.of({"deployment_id": "d-1", "state": {"plan": {**PLAN, "sha": "4f0c1aa"}}})
    plain = Target("prod", "acme/shop", "prod_deploy")
    assert dispatch.payload(deployment, "deploy", plain, "t")["strategy"] == ""
    made = dispatch.payload(deployment, "deploy", replace(plain, strategy="canary", pause_at=pause_at), "t")
    assert made["strategy"] == wanted
    assert len(made) <= 10, "GitHub's limit"
    assert "github_deployment" not in made, "so the job records itself"
