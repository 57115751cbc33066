"""Approve against everything, at the same time: one decision, nothing decided after the end, and everyone is told."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatops.edge import clicks
from chatops.errors import TargetBusy
from chatops.steps import approval, settle
from chatops.store import approvals, stages
from tests.faults.interleave import Scene, Worker, every, some
from tests.faults.races.far import DANA, KIM, LEE, Far

ID = "d-asked"
BUILT = {"stage": "build", "state": "succeeded", "done": True, "claimed": True}


def _state(far: Far, **facts: Any) -> dict[str, Any]:
    return {"plan": far.record(ID)["plan"], "build": BUILT, **facts}


def read(far: Far) -> dict[str, Any]:
    """The state machine's Read Decision."""
    return approval.run({"deployment_id": ID, "execution_arn": "arn", "mode": "read", "state": _state(far)})


def press(action: str, user: str) -> None:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": user},
        "channel": {"id": "C0DEPLOY1"},
        "response_url": f"https://hooks.slack.com/actions/{action}-{user}",
        "actions": [{"action_id": action, "value": ID}],
    }
    assert clicks.answer(payload) == clicks.OK


def reject(user: str) -> None:
    """The modal of Reject…, sent off."""
    private = {"id": ID, "response_url": f"https://hooks.slack.com/actions/reject-{user}"}
    values = {"values": {"reason": {"reason": {"value": "no"}}}}
    view = {"callback_id": "reject", "private_metadata": json.dumps(private), "state": values}
    assert clicks.answer({"type": "view_submission", "user": {"id": user}, "view": view})["statusCode"] == 200


def expire(far: Far) -> None:
    far.time.at += 3600
    read(far)


def supersede(far: Far) -> None:
    """A rollback goes ahead."""
    for _ in range(9):
        try:
            far.take("d-back")
        except TargetBusy:
            continue
        return


def stop(far: Far) -> str:
    """Stopped in the console, and settled by sweep. What had been decided by then."""
    settle.settle(ID, _state(far), {"end": "Stopped", "said": "ABORTED", "why": {}, "by": ""})
    return str((approvals.get(far.rows, ID) or {}).get("decision") or "")


def acts(far: Far) -> dict[str, Worker]:
    return {
        f"approve-{LEE}": lambda: press("approve", LEE),
        f"approve-{KIM}": lambda: press("approve", KIM),
        f"reject-{KIM}": lambda: reject(KIM),
        f"cancel-{DANA}": lambda: press("cancel", DANA),
        "expire": lambda: expire(far),
        "supersede": lambda: supersede(far),
        "stop": lambda: stop(far),
    }


def asked(far: Far) -> dict[str, Any]:
    """v3 waits for an approval; a rollback to v1 has been asked for."""
    far.deploy("d-one", "v1")
    far.deploy("d-two", "v2")
    far.patch.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    far.forget_targets()
    far.time.pass_by(1)
    assert far.plan(ID, version="v3")["approval"]["required"]
    assert far.plan("d-back", "rollback", "")["verdict"] == "go"
    assert read(far)["decision"] == "pending"
    return far.snapshot()


def expected_end(far: Far) -> str:
    """The rest of the execution: it reads the truth and settles."""
    fact = read(far)
    if fact["decision"] in ("approved", "pending"):
        return str(fact["decision"])
    return str(settle.run({"deployment_id": ID, "state": _state(far, approval=fact)})["end"])


def one_decision(far: Far, names: tuple[str, ...], results: list[Any]) -> None:
    for result in results:
        assert not isinstance(result, Exception), result
    row, cancel = approvals.get(far.rows, ID) or {}, approvals.cancelled(far.rows, ID)
    decision = str(row.get("decision") or "")
    told = dict(far.told)
    pressed = [name for name in names if "-" in name]
    assert sorted(told) == sorted(pressed), "whoever pressed is told, once"
    assert len(far.told) == len(pressed)
    for name in pressed:
        action, _, user = name.partition("-")
        if action == "approve":
            stands = decision == "approved" and user in row["votes"]
        elif action == "reject":
            stands = decision == "rejected" and row["by"] == user
        else:
            stands = (cancel or {}).get("kind") == "cancelled" and (cancel or {})["by"] == user
        assert told[name].startswith("⚠️") != stands, f"{name} was told {told[name]!r}; {decision=} {cancel=}"
    if "stop" in names:
        assert decision == results[names.index("stop")], "nothing is decided after the end"
        assert far.ended(ID) == "Stopped"
        return
    end = expected_end(far)
    if cancel and decision in ("", "approved"):
        ticket = str(stages.prepare(far.rows, ID, "deploy", "dev", 60)["ticket"])
        assert stages.claim(far.rows, ticket, 1, 1)[0] == "", "what was cancelled is not deployed"
    else:
        words = {"approved": "approved", "rejected": "Rejected", "expired": "Expired"}
        assert end == words[decision]


def pair(far: Far, kept: dict[str, Any], names: tuple[str, ...]) -> Scene:
    far.restore(kept)
    every_act = acts(far)
    return Scene([every_act[name] for name in names], lambda results: one_decision(far, names, results))


def names() -> list[str]:
    return [f"approve-{LEE}", f"approve-{KIM}", f"reject-{KIM}", f"cancel-{DANA}", "expire", "supersede", "stop"]


def impossible(both: tuple[str, ...]) -> bool:
    """One person does one thing at a time."""
    return {f"approve-{KIM}", f"reject-{KIM}"} <= set(both)


PAIRS = [both for both in itertools.combinations(names(), 2) if not impossible(both)]


@pytest.mark.parametrize("other", [f"reject-{KIM}", f"cancel-{DANA}", "stop"])
def test_an_approval_beside_another_end(far: Far, other: str) -> None:
    kept = asked(far)
    every(lambda: pair(far, kept, (f"approve-{LEE}", other)), switches=1)


@pytest.mark.slow
@pytest.mark.parametrize("both", PAIRS, ids="-".join)
def test_any_two_at_once_in_more_orders(far: Far, both: tuple[str, ...]) -> None:
    kept = asked(far)
    every(lambda: pair(far, kept, both), switches=1)
    some(lambda: pair(far, kept, both), 15, seed=2)


@pytest.mark.slow
def test_any_three_at_once_in_orders_by_chance(far: Far) -> None:
    kept = asked(far)
    for three in itertools.combinations(names(), 3):
        if not impossible(three):
            some(lambda three=three: pair(far, kept, three), 6, seed=33)  # type: ignore[misc]


def test_everything_at_once_from_threads(far: Far) -> None:
    kept = asked(far)
    for _ in range(3):
        far.restore(kept)
        crowd = {k: v for k, v in acts(far).items() if k not in ("stop", "expire", f"approve-{KIM}")}
        with ThreadPoolExecutor(len(crowd)) as threads:
            results = [job.result() for job in [threads.submit(act) for act in crowd.values()]]
        one_decision(far, tuple(crowd), results)
