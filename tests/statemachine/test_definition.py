"""A lint of the state machine of our own: what no validator looks for."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chatops.domain import errors
from local.engine import definitions
from tests.definition import BOXES, LEVELS, MACHINE, STATES, TASKS, TOKENS, TOP, State, branch, following, reachable

ENDS = {
    "succeed": {"Deployed", "Restored", "Rejected", "Expired", "Cancelled", "Refused", "Reported"},
    "fail": {"Build Failed", "Rolled Back", "Deploy Failed", "Rollback Failed"},
}
TELLING = {"Announce", "Notify Outcome", "Report Status"} | {name for name in TASKS if name.startswith("Show ")}


def named(root: type[errors.ChatOpsError]) -> list[str]:
    """The errors of a branch that steps raise: those that no other error of the module is derived from."""
    found = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, root)]
    return sorted(c.__name__ for c in found if not any(c in other.__bases__ for other in found))


SIGNALS, FINAL = named(errors.Signal), named(errors.Final)


def retriers(answers: list[str], attempts: int, *, interval: int = 1, delay: int = 30, token: bool = False) -> Any:
    """A Retry: what is an answer is never tried again, everything else is."""
    again = {"ErrorEquals": ["States.TaskFailed"] if token else ["States.TaskFailed", "States.Timeout"]}
    pace = {"IntervalSeconds": interval, "BackoffRate": 2.0, "MaxDelaySeconds": delay, "MaxAttempts": attempts}
    return [{"ErrorEquals": answers, "MaxAttempts": 0}, {**again, **pace}]


LOOK = retriers(SIGNALS, 25)
EFFECT = retriers(sorted(SIGNALS + FINAL), 25)
WAIT = retriers(SIGNALS, 5, interval=2, token=True)
TELL = retriers(SIGNALS, 2)
BEGIN = retriers(sorted(SIGNALS + FINAL), 8)
PAUSED = {
    "ErrorEquals": ["GitHubRateLimited", "GitHubPostponed"],
    "IntervalSeconds": 15,
    "BackoffRate": 1.0,
    "MaxAttempts": 10,
}
"""Longer than `plan` waits, which says itself when to give up (`PATIENCE`)."""
SETTLE = retriers(SIGNALS, 500, delay=60)
RECONCILE = retriers(SIGNALS, 130, delay=60)


def patience(name: str) -> Any:
    """How long a task is tried, by what it does."""
    if name in TOKENS:
        return WAIT
    if name in TELLING:
        return TELL
    known = {"Plan": [BEGIN[0], PAUSED, BEGIN[1]], "Read Status": BEGIN, "Settle": SETTLE, "Reconcile": RECONCILE}
    effects = ("Dispatch ", "Take ", "Restore ", "Promote")
    return known.get(name) or (EFFECT if name.startswith(effects) else LOOK)


def test_no_level_has_more_states_than_can_be_taken_in_and_each_says_what_it_is_for() -> None:
    ends = ENDS["succeed"] | ENDS["fail"]
    for name, level in LEVELS.items():
        assert len(set(level["States"]) - ends) <= 22, name
    assert all(len(state.get("Comment", "")) > 20 for state in STATES.values())
    assert sum(len(level["States"]) for level in LEVELS.values()) == len(STATES), "a name stands twice"


def test_the_ends_are_the_ones_people_know() -> None:
    assert {n for n, s in TOP.items() if s["Type"] == "Succeed"} == ENDS["succeed"]
    assert {n for n, s in TOP.items() if s["Type"] == "Fail"} == ENDS["fail"]
    for name in ENDS["fail"]:
        assert TOP[name]["Error"] == name.replace(" ", "")
        assert TOP[name]["Cause"]


@pytest.mark.parametrize("name", LEVELS)
def test_every_state_can_be_reached_and_every_target_exists(name: str) -> None:
    """AWS refuses a definition with a state that nothing leads to."""
    level = LEVELS[name]
    assert reachable(level["States"], level["StartAt"]) == set(level["States"])
    assert definitions.problems(MACHINE) == []
    assert not any("End" in state for state in level["States"].values()), "every end has a name"


@pytest.mark.parametrize("name", BOXES)
def test_a_box_is_a_try_with_one_catch(name: str) -> None:
    """Its branch ends in a Succeed of its own; a Retry would run it from its start again; what a failed branch had
    written is lost, so the error has a path of its own."""
    box = BOXES[name]
    assert "Retry" not in box
    assert box["OutputPath"] == "$[0]"
    (catch,) = box["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["ResultPath"] == f"$.{name.lower()}_error"
    ends = [n for n, s in branch(name)["States"].items() if s["Type"] in ("Succeed", "Fail")]
    assert ends == [f"{name} Done"]
    assert branch(name)["States"][f"{name} Done"]["Type"] == "Succeed"


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_deadline_and_the_patience_of_its_kind(name: str) -> None:
    task = TASKS[name]
    assert task.get("TimeoutSeconds") == 60 or task.get("TimeoutSecondsPath", "").startswith("$.")
    assert task["Retry"] == patience(name)


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_wait_ends_by_itself_and_leads_to_the_truth_whatever_happens_to_it(name: str) -> None:
    assert "TimeoutSecondsPath" in TOKENS[name]
    (catch,) = TOKENS[name]["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": TOKENS[name]["Next"]}
    look = STATES[TOKENS[name]["Next"]]
    assert look["Type"] == "Task"
    assert not look["Resource"].endswith(".waitForTaskToken")


@pytest.mark.parametrize("name", sorted(TELLING))
def test_slacks_trouble_changes_no_way(name: str) -> None:
    (catch,) = STATES[name]["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": STATES[name]["Next"]}


def test_a_look_or_a_wait_leads_to_no_effect() -> None:
    """Only an effect's own error, a box's Catch, or Settle's is seen by a state that decides."""
    for name, task in TASKS.items():
        if patience(name) == LOOK:
            assert "Catch" not in task, name


def test_nothing_ends_without_settling_once_the_lock_may_be_held() -> None:
    """`Plan` and `Take Target` take the lock; the only ends before a Settle are those of requests without one."""
    settle = frozenset({"Settle"})
    for first in ("Build", "Approval", "Deploy", "Rollback", "Reconcile"):
        ends = {n for n in reachable(TOP, first, settle) if TOP[n]["Type"] in ("Succeed", "Fail")}
        assert ends == set()
    ends = {n for n in reachable(TOP, "Plan", settle) if TOP[n]["Type"] in ("Succeed", "Fail")}
    assert ends == {"Refused", "Reported"}


def test_before_anything_is_put_back_the_deploy_stage_is_stopped() -> None:
    states = branch("Rollback")["States"]
    before = reachable(states, branch("Rollback")["StartAt"], frozenset({"Stopped?"}))
    assert before == {"Stop Deploy"}
    assert not any(name in TOP for name in ("Restore Service", "Dispatch Rollback"))


# -- what a state reads was written before it ----------------------------------------------------------------


def written(state: State) -> set[str]:
    path = str(state.get("ResultPath") or "")
    return {path.removeprefix("$.")} if path.startswith("$.") else {"plan"} if path == "$" else set()


def guaranteed(level: Mapping[str, Any], known: set[str]) -> dict[str, set[str]]:
    """The keys that are there for sure whenever a state of this level is entered."""
    found: dict[str, set[str]] = {level["StartAt"]: known}
    todo = [level["StartAt"]]
    while todo:
        name = todo.pop()
        state, have = level["States"][name], found[name]
        after = have | written(state)
        if state["Type"] == "Parallel":
            after = guaranteed(branch(name), have)[f"{name} Done"]
        ways = [(way, after) for way in following({**state, "Catch": []})]
        for catch in state.get("Catch", []):
            # Plan's own Catch has no plan; nobody could have cancelled without one
            cancelled = {"plan"} if catch["ErrorEquals"] == ["CancelRecorded"] else set()
            ways.append((catch["Next"], have | written(catch) - {"plan"} | cancelled))
        for way, keys in ways:
            merged = found[way] & keys if way in found else keys
            if merged != found.get(way):
                found[way] = merged
                todo.append(way)
    return found


def compared(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The comparisons of a Choice's rule."""
    for inner in rule.get("And", rule.get("Or", [rule])):
        yield from compared(inner) if inner is not rule else [rule]


def unguarded(state: State) -> Iterator[str]:
    """The paths that a state reads without having asked whether they are there."""
    for rule in state.get("Choices", []):
        guarded = [c["Variable"] for c in compared(rule) if c.get("IsPresent")]
        for one in compared(rule):
            if "IsPresent" not in one and not any(one["Variable"].startswith(path) for path in guarded):
                yield one["Variable"]
    for key in ("SecondsPath", "TimeoutSecondsPath"):
        if key in state:
            yield state[key]
    parameters = json.dumps(state.get("Parameters", {}))
    yield from (text for text in parameters.split('"') if text.startswith("$."))


def test_every_path_that_is_read_was_written_before_or_is_asked_for() -> None:
    top = guaranteed(MACHINE, set())
    seen = {"top": top, **{box: guaranteed(branch(box), top[box]) for box in BOXES}}
    for level, states in seen.items():
        for name, keys in states.items():
            for path in unguarded(LEVELS[level]["States"][name]):
                assert path.split(".")[1] in keys, f"{name} reads {path}"


def test_it_keeps_to_what_all_three_engines_know() -> None:
    text = json.dumps(MACHINE)
    for unknown in (
        "QueryLanguage",
        "Assign",
        "JitterStrategy",
        "aws-sdk:",
        ".sync",
        "TimestampLess",
        "TimestampGreater",
    ):
        assert unknown not in text
    for state in STATES.values():
        assert state["Type"] in ("Task", "Choice", "Wait", "Succeed", "Fail", "Parallel")
        for key in ("Seconds", "TimeoutSeconds"):
            assert isinstance(state.get(key, 1), int)
    assert MACHINE["TimeoutSeconds"] == 86_400
