"""Which status a GitHub Deployment has: what the deployment is, in; GitHub's name, out."""

from __future__ import annotations

import pytest

from chatops.domain.github_status import FINAL, state
from chatops.domain.plan import Plan
from chatops.domain.record import Outcome, Record
from tests.definition import TOP

ENDS = {name for name, each in TOP.items() if each["Type"] in ("Succeed", "Fail")} - {"Reported"} | {"Stopped"}
OF_DEPLOYS = {
    "Deployed": "success",
    "Restored": "inactive",
    **dict.fromkeys(("Build Failed", "Deploy Failed", "Rolled Back", "Rollback Failed"), "failure"),
    **dict.fromkeys(("Rejected", "Expired", "Cancelled", "Refused", "Stopped"), "error"),
}
OF_ROLLBACKS = {**OF_DEPLOYS, "Restored": "success"}


def test_each_end_has_a_status() -> None:
    assert OF_DEPLOYS.keys() == ENDS
    assert set(OF_DEPLOYS.values()) <= FINAL


@pytest.mark.parametrize("end", OF_DEPLOYS)
@pytest.mark.parametrize(("command", "expected"), [("deploy", OF_DEPLOYS), ("rollback", OF_ROLLBACKS)])
def test_the_status_of_an_end(command: str, expected: dict[str, str], end: str) -> None:
    record = Record(plan=Plan(command=command), outcome=Outcome(end))
    assert state(record, waits_for_people=False) == expected[end]


@pytest.mark.parametrize(("waits", "expected"), [(True, "queued"), (False, "in_progress")])
def test_the_status_before_it_ends(waits: bool, expected: str) -> None:
    assert state(Record(), waits_for_people=waits) == expected
    assert expected not in FINAL
