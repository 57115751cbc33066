"""Whatever other people's systems say, what of it travels in the state is short; the whole is measured in
tests/statemachine/test_limits.py."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import Refusal
from chatops.domain.target import Policy, Target
from chatops.github import runs, versions
from chatops.platforms import ecs_verdict
from chatops.steps import policy

LONG = "x" * 5000


def test_job_and_step() -> None:
    jobs = [{"name": LONG, "status": "in_progress", "steps": [{"name": LONG, "status": "in_progress"}]}]
    assert [len(name) for name in runs.job_and_step(jobs)] == [100, 100]


def test_authors_of_a_change() -> None:
    """A commit's author is whatever git was told."""

    class Client:
        def find(self, _path: str) -> dict[str, Any]:
            commits = [{"commit": {"author": {"name": f"{n}{LONG}"}, "message": ""}} for n in range(20)]
            return {"html_url": "https://x", "commits": commits}

    found = versions.changes(Client(), "a", "b")  # type: ignore[arg-type]
    assert found
    assert [len(name) for name in found.authors] == [100] * 10


def test_reasons_of_a_rollout() -> None:
    main = {"status": "PRIMARY", "taskDefinition": "td:1", "rolloutState": "FAILED", "rolloutStateReason": LONG}
    assert len(ecs_verdict.rollout({"deployments": [main]}, [], "td:1").reason) == 300
    events = [{"message": LONG}] * 10
    assert [len(e) for e in ecs_verdict.rollout({"events": events}, [], "td:1").events] == [300] * 3


@pytest.mark.parametrize("extra", [0, 1])
def test_more_people_than_can_be_asked_are_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, extra: int
) -> None:
    crowd = frozenset(f"U{n:09}" for n in range(policy.MOST_ASKED + extra))
    monkeypatch.setattr("chatops.slack.people.group", lambda _, **_how: crowd)
    monkeypatch.setattr(policy, "_present", lambda users: users)
    target = Target("dev", "acme/x", "dev_deploy", policy=Policy(approver_groups=("S0ALL0001",), deploy_approval=True))
    if not extra:
        rule = policy.question(target, "deploy", "")
        assert rule is not None
        assert len(rule.eligible) == policy.MOST_ASKED
        return
    with pytest.raises(Refusal) as refused:
        policy.question(target, "deploy", "")
    assert refused.value.key == "too_many_approvers"
    assert refused.value.values == {"target": "dev", "count": policy.MOST_ASKED + 1, "most": policy.MOST_ASKED}
