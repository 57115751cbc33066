"""poll against a table and a GitHub that changes between two looks."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.github import runs
from chatops.github.client import Reply
from chatops.steps import poll
from chatops.store import locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.steps import call

ID, RUN = "d-abcdefghijkl", 9001
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v1.2.3", "requester": {"id": "U0DANA001"}}
HOLDER = Holder(ID, "arn:aws:states:x", "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")


def body(status: str, conclusion: str | None) -> dict[str, Any]:
    url = "https://github.com/acme/checkout-api/actions/runs/9001"
    return {"id": RUN, "run_number": 7, "html_url": url, "status": status, "conclusion": conclusion, "run_attempt": 1}


@pytest.fixture
def claimed(rows: Table, time: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build stage that a run has claimed."""
    monkeypatch.setattr(poll, "table", lambda: rows)
    stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking("dev", HOLDER))
    stages.prepare(rows, ID, "build", "dev", 1800)
    stages.note(rows, ID, "build", dispatched_at=time())
    stages.claim(rows, ID, "build", RUN)


def look(state: dict[str, Any] | None = None) -> dict[str, Any]:
    return call(poll.run, {"deployment_id": ID, "stage": "build", "state": {"plan": PLAN, **(state or {})}})


def test_a_run_that_finishes_and_completes_while_we_look_has_succeeded(
    claimed: None, rows: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row was read before the finish, GitHub was asked after it: both are true, the row is only older."""

    def get(_client: Any, run_id: int, etag: str = "") -> Reply:
        stages.finish(rows, ID, "build", run_id, "success", {"image": "repo@sha256:1"})
        return Reply(200, body("completed", "success"), "", "")

    monkeypatch.setattr(runs, "get", get)
    fact = look()
    assert (fact["state"], fact["done"]) == ("succeeded", True)
    assert fact["outputs"] == {"image": "repo@sha256:1"}


def test_a_green_run_that_never_reported_is_no_success(claimed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "get", lambda *_: Reply(200, body("completed", "success"), "", ""))
    fact = look()
    assert (fact["state"], fact["why"]["key"]) == ("failed", "why_unfinished")


def test_only_githubs_success_is_success(claimed: None, rows: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a first look each time. All stages, and runs that report otherwise: test_run_conclusions.py."""
    stages.finish(rows, ID, "build", RUN, "success", {})
    monkeypatch.setattr(runs, "jobs", lambda *_: ([], ""))
    for conclusion in ("failure", "timed_out", "stale", "skipped", "neutral", "action_required", "new"):
        reply = Reply(200, body("completed", conclusion), "", "")
        monkeypatch.setattr(runs, "get", lambda *_, reply=reply: reply)
        fact = look()
        assert (fact["done"], fact["state"], fact["conclusion"]) == (True, "failed", conclusion)


def test_a_run_that_has_not_changed_is_asked_for_by_its_etag_and_costs_nothing(
    claimed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub answers 304 without a body, and what was known still holds."""
    asked: list[str] = []

    def get(_client: Any, run_id: int, etag: str = "") -> Reply:
        asked.append(etag)
        return Reply(304, None, etag, "") if etag else Reply(200, body("in_progress", None), '"v1"', "")

    monkeypatch.setattr(runs, "get", get)
    monkeypatch.setattr(runs, "jobs", lambda *_: (None, '"j1"'))
    first = look()
    again = look({"build": first})
    third = look({"build": again})
    assert asked == ["", '"v1"', '"v1"']
    assert {third["state"], again["state"], first["state"]} == {"running"}
    assert (third["run_number"], third["run_url"]) == (first["run_number"], first["run_url"])
