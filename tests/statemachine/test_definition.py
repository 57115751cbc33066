"""A lint of the state machine of our own: what no validator looks for."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from chatops import errors
from local.engine import definitions

ROOT = Path(__file__).resolve().parents[2]
MACHINE: dict[str, Any] = json.loads((ROOT / "statemachine" / "deploy.asl.json").read_text("utf-8"))
STATES: dict[str, Any] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
TOKENS = {name: state for name, state in TASKS.items() if state["Resource"].endswith(".waitForTaskToken")}
ENDS = {
    "succeed": {"Deployed", "Restored", "Rejected", "Expired", "Cancelled", "Refused", "Reported"},
    "fail": {"Build Failed", "Rolled Back", "Deploy Failed", "Rollback Failed"},
}
OURS = {name for name, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, errors.ChatOpsError)}
LISTED_BY_AWS = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
"""What Lambda itself answers: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html"""
DIED = {"Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}
"""A function's process that ended without an answer, as Lambda calls it now and (the first) called it before:
https://github.com/aws/aws-lambda-runtime-interface-emulator"""
ASLEEP = {"Lambda.ResourceConflictException"}
"""A function that nobody called for weeks has its resources made anew at the next call, which fails:
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html"""


def following(state: dict[str, Any]) -> set[str]:
    """Every state that may come next."""
    found = {state.get("Next"), state.get("Default")}
    found |= {rule["Next"] for rule in [*state.get("Choices", []), *state.get("Catch", [])]}
    return {name for name in found if name}


def names_in(state: dict[str, Any], key: str) -> list[str]:
    return [name for entry in state.get(key, []) for name in entry["ErrorEquals"]]


def reachable(start: str, without: set[str]) -> set[str]:
    """The states that can be reached from `start` without passing one of `without`."""
    seen, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name in seen or name in without:
            continue
        seen.add(name)
        todo += following(STATES[name])
    return seen


def test_there_are_at_most_fifty_states_and_each_says_what_it_is_for() -> None:
    assert len(STATES) <= 50
    assert all(len(state.get("Comment", "")) > 20 for state in STATES.values())


def test_the_ends_are_the_ones_people_know() -> None:
    assert {n for n, s in STATES.items() if s["Type"] == "Succeed"} == ENDS["succeed"]
    assert {n for n, s in STATES.items() if s["Type"] == "Fail"} == ENDS["fail"]
    for name in ENDS["fail"]:
        assert STATES[name]["Error"] == name.replace(" ", "")
        assert STATES[name]["Cause"]


def test_every_state_can_be_reached_and_every_target_exists() -> None:
    assert reachable(MACHINE["StartAt"], set()) == set(STATES)
    assert definitions.problems(MACHINE) == []


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_deadline_a_retry_by_name_and_a_way_out(name: str) -> None:
    task = TASKS[name]
    assert isinstance(task.get("TimeoutSeconds"), int) or task.get("TimeoutSecondsPath", "").startswith("$.")
    assert names_in(task, "Retry")
    assert "States.ALL" not in names_in(task, "Retry")
    assert set(names_in(task, "Retry")) >= LISTED_BY_AWS | DIED | ASLEEP
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", TOKENS)
def test_every_token_wait_ends_by_itself_and_leads_to_the_truth(name: str) -> None:
    assert "TimeoutSecondsPath" in TOKENS[name]
    caught = {n: entry["Next"] for entry in TOKENS[name]["Catch"] for n in entry["ErrorEquals"]}
    assert caught["States.Timeout"] == caught["States.HeartbeatTimeout"] == TOKENS[name]["Next"]
    assert "States.Timeout" not in names_in(TOKENS[name], "Retry"), "its timeout is the wait's end, not a failure"


def test_every_custom_error_name_exists_and_every_signal_is_caught() -> None:
    used = {n for task in TASKS.values() for key in ("Retry", "Catch") for n in names_in(task, key)}
    custom = {n for n in used if "." not in n}
    assert custom <= OURS
    signals = {c.__name__ for c in errors.Signal.__subclasses__()}
    assert signals <= {n for task in TASKS.values() for n in names_in(task, "Catch")}
    retried = {c.__name__ for c in errors.Retryable.__subclasses__()}
    assert all(retried <= set(names_in(task, "Retry")) for task in TASKS.values())


def test_nothing_ends_without_settling_once_the_lock_may_be_held() -> None:
    """`Plan` and `Take Target` take the lock; the only ends before a Settle are those of requests without one."""
    for first in ("Dispatch Build", "Take Target", "Roll Back?"):
        ends = {n for n in reachable(first, {"Settle"}) if STATES[n]["Type"] in ("Succeed", "Fail")}
        assert ends == set()
    ends = {n for n in reachable("Plan", {"Settle"}) if STATES[n]["Type"] in ("Succeed", "Fail")}
    assert ends == {"Refused", "Reported"}


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
        assert state["Type"] in ("Task", "Choice", "Wait", "Succeed", "Fail")
        for key in ("Seconds", "TimeoutSeconds"):
            assert isinstance(state.get(key, 1), int)
    assert MACHINE["TimeoutSeconds"] == 86_400
