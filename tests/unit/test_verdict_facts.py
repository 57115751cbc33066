"""What a verdict carries besides its one word, for the people who read it: the service's status in ECS's own words, its
reason, the task definition that is live, how many tasks run, and the last events."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain import codec
from chatops.platforms.ecs_verdict import counts, restored, rollout
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from tests.unit.test_verdict import BEFORE, OURS, THEIRS, brought, service

WHY = "ECS's own words. " * 30
COUNTED: dict[str, Any] = {
    "running": 4,
    "desired": 4,
    "pending": 0,
    "events": tuple((f"event {n}" * 100)[:300] for n in range(3)),
}


STAGED: dict[str, Any] = {
    "reason": "why",
    "lifecycle_stage": "BAKE_TIME",
    "strategy": "CANARY",
    "traffic": 10.0,
    "baking": 600,
}
PAUSE = Pause("hook", "arn:10", 1_760_000_000.0)


def verdict(state: str, status: str, live: str, *, restoring: bool = False, **more: Any) -> Rollout:
    return Rollout(RolloutState(state), status, restoring, task_definition=live, **{**COUNTED, **more})


def primary(live: str, state: str, *others: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A service whose PRIMARY says why."""
    found = service(live, state, *others, **more)
    found["deployments"][0]["rolloutStateReason"] = WHY
    return found


@pytest.mark.parametrize(
    ("status", "state", "restoring"),
    [
        ("IN_PROGRESS", "moving", False),
        ("STOP_REQUESTED", "moving", False),
        ("SUCCESSFUL", "healthy", False),
        ("STOPPED", "failed", False),
        ("ROLLBACK_IN_PROGRESS", "failed", True),
        ("A_TENTH", "failed", False),
    ],
)
def test_of_our_service_deployment_its_status_reason_and_stage_and_how_its_traffic_moves(
    status: str, state: str, restoring: bool
) -> None:
    found = rollout(service(), [brought(status, **STAGED)], OURS)
    assert found == verdict(state, status, OURS, restoring=restoring, **STAGED)


def test_of_what_overtook_us_our_own_status_and_what_is_live_instead() -> None:
    both = [brought("IN_PROGRESS", THEIRS, at=20), brought("STOPPED", **STAGED)]
    assert rollout(service(THEIRS), both, OURS) == verdict("overtaken", "STOPPED", THEIRS, **STAGED)


def test_of_a_pause_which_one_and_that_it_waits_for_a_word() -> None:
    ours = brought("IN_PROGRESS", pause=PAUSE, **STAGED)
    assert rollout(service(), [ours], OURS) == verdict("paused", "IN_PROGRESS", OURS, pause=PAUSE, **STAGED)
    back = brought("IN_PROGRESS", BEFORE, pause=PAUSE, **STAGED)
    found = restored(service(BEFORE, "IN_PROGRESS"), [back], BEFORE, "update_service")
    assert found == verdict("paused", "IN_PROGRESS", BEFORE, pause=PAUSE, **STAGED)


def test_a_pause_of_the_deployment_before_ours_is_none_of_ours() -> None:
    """Our update is PRIMARY, and the list still ends with what it puts right."""
    listed = [brought("IN_PROGRESS", pause=PAUSE, reason="why")]
    found = restored(service(BEFORE, "IN_PROGRESS"), listed, BEFORE, "update_service")
    assert found == verdict("moving", "IN_PROGRESS", BEFORE, reason="why")


def test_of_a_pause_that_nobody_continued_in_time_that_it_lapsed() -> None:
    ours = brought("ROLLBACK_IN_PROGRESS", lapsed=True)
    found = rollout(service(BEFORE, "IN_PROGRESS"), [ours], OURS)
    assert found == verdict("failed", "ROLLBACK_IN_PROGRESS", BEFORE, restoring=True, lapsed=True)


@pytest.mark.parametrize(
    ("found", "state", "status"),
    [
        (primary(OURS, "COMPLETED"), "healthy", "COMPLETED"),
        (primary(OURS, "IN_PROGRESS"), "moving", "IN_PROGRESS"),
        (primary(OURS, "FAILED"), "failed", "FAILED"),
        (primary(THEIRS, "COMPLETED"), "overtaken", "COMPLETED"),
    ],
)
def test_of_primary_where_there_are_no_service_deployments(found: dict[str, Any], state: str, status: str) -> None:
    live = str(found["taskDefinition"])
    assert rollout(found, [], OURS) == verdict(state, status, live, reason=WHY[:300])


def test_of_primary_while_our_deployment_is_known_by_an_image_that_is_still_to_come() -> None:
    assert rollout(primary(BEFORE, "COMPLETED"), [], "", "app@sha256:3") == verdict(
        "moving", "COMPLETED", BEFORE, reason=WHY[:300]
    )


@pytest.mark.parametrize(("given", "shown"), [({"rolloutStateReason": WHY}, WHY[:300]), ({}, "")])
def test_of_a_tripped_circuit_breaker_the_reason_that_stands_beside_primary(given: dict[str, str], shown: str) -> None:
    ours = {"status": "ACTIVE", "taskDefinition": OURS, "rolloutState": "FAILED", **given}
    found = rollout(primary(BEFORE, "IN_PROGRESS", ours), [], OURS)
    assert len(WHY) > 300
    assert found == verdict("failed", "FAILED", BEFORE, restoring=True, reason=shown)


ONLY_WHY = {"reason": "why"}
LISTED: list[tuple[str, str, str, str, str, dict[str, Any]]] = [
    # newest: its status and what it brings; what is live and how PRIMARY stands; the verdict, and what it carries
    ("SUCCESSFUL", BEFORE, BEFORE, "COMPLETED", "healthy", ONLY_WHY),
    ("IN_PROGRESS", BEFORE, BEFORE, "IN_PROGRESS", "moving", STAGED),
    ("SUCCESSFUL", BEFORE, BEFORE, "IN_PROGRESS", "moving", STAGED),
    ("SUCCESSFUL", BEFORE, BEFORE, "FAILED", "failed", STAGED),
    ("ROLLBACK_FAILED", OURS, OURS, "IN_PROGRESS", "failed", ONLY_WHY),
    ("ROLLBACK_SUCCESSFUL", BEFORE, OURS, "IN_PROGRESS", "failed", STAGED),
    ("STOPPED", OURS, OURS, "IN_PROGRESS", "moving", ONLY_WHY),
    ("IN_PROGRESS", THEIRS, THEIRS, "IN_PROGRESS", "overtaken", ONLY_WHY),
]


@pytest.mark.parametrize(("status", "brings", "live", "primary_state", "state", "carried"), LISTED)
def test_of_what_puts_back_the_newest_service_deployment_and_how_its_traffic_moves_where_it_is_ours(
    status: str, brings: str, live: str, primary_state: str, state: str, carried: dict[str, Any]
) -> None:
    listed = [brought("SUCCESSFUL", OURS, at=1, reason="another"), brought(status, brings, **STAGED)]
    found = restored(service(live, primary_state), listed, BEFORE, "update_service")
    assert found == verdict(state, status, live, **carried)


@pytest.mark.parametrize(
    ("primary_state", "state"), [("COMPLETED", "healthy"), ("IN_PROGRESS", "moving"), ("FAILED", "failed")]
)
def test_of_what_puts_back_primary_where_there_are_no_service_deployments(primary_state: str, state: str) -> None:
    assert restored(service(BEFORE, primary_state), [], BEFORE) == verdict(state, primary_state, BEFORE, reason="")


def test_the_state_machine_carries_plain_json() -> None:
    found = codec.as_json(rollout(service(), [brought("SUCCESSFUL")], OURS).result())
    assert found == {
        **COUNTED,
        "state": "healthy",
        "status": "SUCCESSFUL",
        "done": False,
        "restoring": False,
        "restored_by": "",
        "task_definition": OURS,
        "reason": "",
        "lifecycle_stage": "",
        "events": list(COUNTED["events"]),
        "strategy": "",
        "pause": {},
        "why": {},
        "baking": 0,
        "lapsed": False,
    }
    assert type(found["events"]) is list
    assert type(found["state"]) is str
    paused = rollout(service(), [brought("IN_PROGRESS", pause=PAUSE)], OURS).result()
    assert (paused.state, paused.pause) == ("paused", PAUSE.result())


# -- what is not there -----------------------------------------------------------------------------------------


def test_where_another_controller_deploys_the_services_own_task_definition_is_live() -> None:
    bare = {**service(BEFORE), "deployments": []}
    assert restored(bare, [], BEFORE) == verdict("healthy", "", BEFORE)
    assert restored(bare, [], OURS) == verdict("moving", "", BEFORE)
    assert rollout(bare, [], OURS) == verdict("overtaken", "", BEFORE, reason="")


def test_primary_says_what_is_live_before_the_service_does() -> None:
    """During a rollout under another controller the two may differ."""
    moving = {**service(OURS, "IN_PROGRESS"), "taskDefinition": BEFORE}
    assert rollout(moving, [], OURS).task_definition == OURS
    assert restored(moving, [], BEFORE) == verdict("moving", "IN_PROGRESS", OURS)


def test_a_service_that_tells_nothing_runs_nothing() -> None:
    assert counts({"events": [{}]}) == {"running": 0, "desired": 0, "pending": 0, "events": ("",)}
    nothing = {"running": 0, "desired": 0, "events": ()}
    assert rollout({}, [], OURS) == verdict("overtaken", "", "", reason="", **nothing)
    assert restored({}, [], OURS) == verdict("moving", "", "", reason="", **nothing)


def test_what_a_platform_does_not_say_is_nothing() -> None:
    assert codec.as_json(Rollout(RolloutState.MOVING, "").result()) == {
        "state": "moving",
        "status": "",
        "done": False,
        "restoring": False,
        "restored_by": "",
        "running": 0,
        "desired": 0,
        "pending": 0,
        "task_definition": "",
        "reason": "",
        "lifecycle_stage": "",
        "events": [],
        "strategy": "",
        "pause": {},
        "why": {},
        "baking": 0,
        "lapsed": False,
    }


def test_a_deployment_of_which_ecs_tells_no_image_and_no_source_is_not_taken_for_ours() -> None:
    bare = brought("SUCCESSFUL", THEIRS)
    assert bare.source_task_definition == ""
    assert rollout(service(THEIRS), [bare], "", "app@sha256:3").state is RolloutState.MOVING


def test_of_two_of_the_same_moment_neither_has_overtaken_the_other() -> None:
    both = [brought("SUCCESSFUL", at=10), brought("SUCCESSFUL", THEIRS, at=10)]
    assert rollout(service(), both, OURS).state is RolloutState.HEALTHY
