"""Every conclusion of a run, for every stage, whether its run claims a ticket or not: only `success` is success."""

from __future__ import annotations

import pytest

from chatops.domain.stage import STAGES
from chatops.store import stages
from chatops.store.table import Table
from fakes.github.model import Run
from tests.unit.conftest import Time
from tests.unit.stage_session import ID, PLAN, Stage, staged

pytestmark = pytest.mark.slow

CONCLUSIONS = (
    "success",
    "failure",
    "cancelled",
    "timed_out",
    "neutral",
    "skipped",
    "stale",
    "action_required",
    "startup_failure",
)
"""GitHub's, as its description lists them: tests/contract/test_github_calls_described.py holds them to it."""
STRANGE = (None, "", "Success", "a tenth")
REPORTS = ("success", "failure", "cancelled")


def concluded(stage: Stage, run: Run, conclusion: str | None) -> str:
    """What the stage has come to, at a first look at the run."""
    run.status, run.conclusion, stage.fact = "completed", conclusion, {}
    fact = stage.look()
    assert fact["done"]
    return str(fact["state"])


def reported(stage: Stage, run: Run, report: str) -> None:
    """The run says that of itself; the last word counts here, so that one run serves for all."""
    stages.note(stage.rows, ID, stage.name, state="claimed")
    outputs = {"image": str(PLAN["previous"]["image"])}  # as it was to be, for a rollback
    assert stages.finish(stage.rows, ID, stage.name, run.id, report, outputs) == "recorded"


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_claimed_run(name: str, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its conclusion and its own report must both say success."""
    with staged(rows, time, monkeypatch, name) as stage:
        run = stage.claim()
        for conclusion in (*CONCLUSIONS, *STRANGE):
            assert concluded(stage, run, conclusion) != "succeeded", f"{conclusion}, and it never reported"
        for report in REPORTS:
            reported(stage, run, report)
            for conclusion in (*CONCLUSIONS, *STRANGE):
                good = (report, conclusion) == ("success", "success")
                assert (concluded(stage, run, conclusion) == "succeeded") == good, (report, conclusion)


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_run_that_need_not_claim(name: str, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    with staged(rows, time, monkeypatch, name, claim=False) as stage:
        stage.dispatch()
        run = stage.begun()
        for conclusion in (*CONCLUSIONS, *STRANGE):
            assert (concluded(stage, run, conclusion) == "succeeded") == (conclusion == "success"), conclusion


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_run_that_never_claimed(name: str, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where runs claim, one that did not counts for nothing, and least of all as a success."""
    with staged(rows, time, monkeypatch, name) as stage:
        stage.dispatch()
        run, sent = stage.begun(), time.at
        for conclusion in (*CONCLUSIONS, *STRANGE):
            stages.note(rows, ID, name, state="ready")
            time.at = sent + 61
            assert concluded(stage, run, conclusion) == "failed", conclusion
