"""What the project's definition relies on, on the embedded engine: AWS's documented behaviour, state by
state.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.statemachine.bench import Bench, bench, caught

PASS = {"Type": "Pass", "End": True}


@pytest.fixture(scope="module")
def on() -> Iterator[Bench]:
    with bench() as engine:
        yield engine


@pytest.mark.parametrize("given", ["text", 7, None, [], [1], True, {}, {"command": None}])
def test_is_present_asks_about_any_input(on: Bench, given: Any) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.command", "IsPresent": True, "Next": "Yes"}],
        "Default": "No",
    }
    states = {"A": choice, "Yes": {**PASS, "Result": True}, "No": {**PASS, "Result": False}}
    assert on.output(states, given) is (isinstance(given, dict) and "command" in given)


def test_is_present_looks_into_nested_objects_and_lists(on: Bench) -> None:
    def present(path: str, given: Any) -> Any:
        rule = {"Variable": path, "IsPresent": True, "Next": "Yes"}
        states = {"A": {"Type": "Choice", "Choices": [rule], "Default": "No"}}
        return on.output({**states, "Yes": {**PASS, "Result": 1}, "No": {**PASS, "Result": 0}}, given)

    assert present("$.a.b.c", {"a": {"b": {"c": 0}}}) == 1
    assert present("$.a.b.c", {"a": {"b": "text"}}) == 0
    assert present("$.a[1].b", {"a": [0, {"b": None}]}) == 1
    assert present("$.a[2]", {"a": [0]}) == 0


def test_choice_compares_by_type(on: Bench) -> None:
    def taken(rule: dict[str, Any], given: Any) -> Any:
        states = {"A": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}}
        return on.output({**states, "Yes": {**PASS, "Result": 1}, "No": {**PASS, "Result": 0}}, given)

    assert taken({"Variable": "$.a", "StringEquals": "x"}, {"a": None}) == 0
    assert taken({"Variable": "$.a", "NumericGreaterThan": 1}, {"a": "2"}) == 0
    assert taken({"Variable": "$.a", "BooleanEquals": True}, {"a": "true"}) == 0
    assert taken({"Variable": "$.a", "IsNull": True}, {"a": None}) == 1
    assert taken({"Not": {"Variable": "$.a", "StringMatches": "d-*"}}, {"a": "d-1"}) == 0
    both = {"And": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a", "StringEquals": "x"}]}
    assert (taken(both, {}), taken(both, {"a": "x"})) == (0, 1)
    either = {"Or": [{"Variable": "$.a", "IsPresent": False}, {"Variable": "$.a", "NumericLessThanPath": "$.b"}]}
    assert (taken(either, {}), taken(either, {"a": 1, "b": 2})) == (1, 1)


def test_catch_with_null_result_path_keeps_the_input(on: Bench) -> None:
    states = {"A": on.task("absent", Catch=caught("States.ALL", path=None)), "Caught": PASS}
    assert on.output(states, {"kept": 1}) == {"kept": 1}


def test_catch_without_result_path_replaces_the_input(on: Bench) -> None:
    states = {"A": on.task("absent", Catch=[{"ErrorEquals": ["KeyError"], "Next": "Caught"}]), "Caught": PASS}
    output = on.output(states, {"lost": 1})
    assert output["Error"] == "KeyError"
    assert json.loads(output["Cause"])["errorType"] == "KeyError"


def test_the_first_matching_catch_is_taken_and_task_failed_is_no_timeout(on: Bench) -> None:
    both = [*caught("Other", then="Wrong"), *caught("States.TaskFailed"), *caught("States.ALL", then="Wrong")]
    ends = {"Caught": {**PASS, "Result": "right"}, "Wrong": {**PASS, "Result": "wrong"}}
    assert on.output({"A": on.task("absent", Catch=both), **ends}) == "right"
    on.functions.table["slow"] = lambda event: time.sleep(1.1)
    late = on.task("slow", TimeoutSeconds=1, Catch=[*caught("States.TaskFailed", then="Wrong"), *caught("States.ALL")])
    assert on.output({"A": late, **ends}) == "right"


def test_result_selector_and_result_path_of_a_function_named_by_its_arn(on: Bench) -> None:
    chosen = on.task("echo", Parameters={"a": {"b": [1, 2]}}, ResultSelector={"b.$": "$.a.b[1]"}, ResultPath="$.got.it")
    assert on.output({"A": chosen}, {"given": 0}) == {"given": 0, "got": {"it": {"b": 2}}}
    assert on.output({"A": on.task("echo", Parameters={"a": 1}, ResultPath=None)}, {"given": 0}) == {"given": 0}
    through = on.task("echo", direct=False, Payload="$", ResultSelector={"p.$": "$.Payload", "s.$": "$.StatusCode"})
    assert on.output({"A": through}, {"given": 0}) == {"p": {"given": 0}, "s": 200}


def test_context_object(on: Bench) -> None:
    parameters = {
        "id.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "input.$": "$$.Execution.Input",
        "deep.$": "$$.Execution.Input.a.b",
        "machine.$": "$$.StateMachine.Name",
        "state.$": "$$.State.Name",
        "whole.$": "$$",
    }
    machine = on.create({"A": {"Type": "Pass", "Result": 0, "Next": "B"}, "B": on.task("echo", Parameters=parameters)})
    execution = on.start(machine, {"a": {"b": [1]}})
    output = json.loads(on.wait(execution)["output"])
    assert output["id"] == execution
    assert output["name"] == execution.rpartition(":")[2]
    assert output["input"] == {"a": {"b": [1]}}
    assert output["deep"] == [1]
    assert output["machine"] == machine.rpartition(":")[2]
    assert output["state"] == "B"
    assert output["whole"]["State"]["RetryCount"] == 0


def test_timeout_seconds_path_of_a_token_wait_leads_on_and_back(on: Bench) -> None:
    """The loop of every wait in the definition: a token wait, caught when it is over, a look, and again."""
    wait = on.token_task("looped", TimeoutSecondsPath="$.seconds", ResultPath=None)
    wait = {
        **wait,
        "Catch": caught("States.Timeout", "States.HeartbeatTimeout", then="Look", path=None),
        "Next": "Look",
    }
    del wait["End"]
    look = on.task("count", ResultPath="$.looks", Next="Enough")
    enough = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.looks", "NumericEquals": 2, "Next": "Done"}],
        "Default": "Wait",
    }
    looks = itertools.count(1)
    on.functions.table["count"] = lambda event: next(looks)
    states = {"Wait": wait, "Look": look, "Enough": enough, "Done": {"Type": "Succeed"}}
    execution = on.start(states, {"seconds": 1})
    stale = on.functions.token("looped")
    on.functions.token("looped")
    with pytest.raises(ClientError, match="TaskTimedOut"):
        on.sfn.send_task_success(taskToken=stale, output="{}")
    ended = on.wait(execution, 20)
    assert json.loads(ended["output"]) == {"seconds": 1, "looks": 2}
    assert on.types(execution).count("TaskTimedOut") == 2


def test_a_token_answered_early_leads_on_at_once(on: Bench) -> None:
    begun = time.monotonic()
    execution = on.start({"A": on.token_task("woken", TimeoutSeconds=60)})
    on.sfn.send_task_success(taskToken=on.functions.token("woken"), output='{"by": "dana"}')
    assert json.loads(on.wait(execution)["output"]) == {"by": "dana"}
    assert time.monotonic() - begun < 20


def test_a_function_that_raises_in_a_token_task_is_caught_by_its_class_name(on: Bench) -> None:
    def awake(event: Any) -> None:
        raise type("AlreadyAwake", (Exception,), {})("3")

    on.functions.table["awake"] = awake
    states = {
        "A": on.token_task("k", "awake", TimeoutSeconds=60, Catch=caught("AlreadyAwake")),
        "Caught": PASS,
    }
    assert on.output(states)["error"]["Error"] == "AlreadyAwake"


def test_heartbeats_keep_a_token_alive_and_their_lack_is_a_timeout(on: Bench) -> None:
    waiting = on.token_task("beating", TimeoutSeconds=30, HeartbeatSeconds=2)
    either = caught("States.Timeout", "States.HeartbeatTimeout", path=None)
    execution = on.start({"A": {**waiting, "Catch": either}, "Caught": {**PASS, "Result": "late"}})
    token = on.functions.token("beating")
    for _ in range(2):
        time.sleep(1.1)
        on.sfn.send_task_heartbeat(taskToken=token)
    assert on.sfn.describe_execution(executionArn=execution)["status"] == "RUNNING"
    assert json.loads(on.wait(execution, 20)["output"]) == "late"


@pytest.mark.parametrize("direct", [True, False])
def test_task_timeout_does_not_wait_for_the_function(on: Bench, direct: bool) -> None:
    over = threading.Event()
    on.functions.table["long"] = lambda event: over.wait(20)
    task = on.task("long", direct=direct, TimeoutSeconds=1, Catch=caught("States.Timeout", path=None))
    begun = time.monotonic()
    assert on.output({"A": task, "Caught": PASS}, {"kept": 1}) == {"kept": 1}
    assert time.monotonic() - begun < 10
    over.set()


def test_machine_timeout_ends_a_wait(on: Bench) -> None:
    machine = on.create({"A": {"Type": "Wait", "Seconds": 5000, "Next": "B"}, "B": on.task("echo")}, TimeoutSeconds=1)
    execution = on.start(machine)
    assert on.wait(execution, 20)["status"] == "TIMED_OUT"
    assert on.types(execution)[-1] == "ExecutionTimedOut"


def test_start_execution_is_idempotent_while_running(on: Bench) -> None:
    machine = on.create({"A": on.token_task("idle")})
    again = {"stateMachineArn": machine, "name": "d-1", "input": '{"a": 1}'}
    first, second = on.sfn.start_execution(**again), on.sfn.start_execution(**again)
    assert (first["executionArn"], first["startDate"]) == (second["executionArn"], second["startDate"])
    with pytest.raises(on.sfn.exceptions.ExecutionAlreadyExists):
        on.sfn.start_execution(**{**again, "input": '{"a": 2}'})
    on.sfn.send_task_success(taskToken=on.functions.token("idle"), output="{}")
    on.wait(first["executionArn"])
    with pytest.raises(on.sfn.exceptions.ExecutionAlreadyExists):
        on.sfn.start_execution(**again)


def test_a_name_can_be_used_again_in_another_machine(on: Bench) -> None:
    machines = [on.create({"A": PASS}) for _ in range(2)]
    executions = {on.start(machine, name="same") for machine in machines}
    assert len(executions) == 2


def test_list_executions_filters_and_pages_newest_first(on: Bench) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.fail", "BooleanEquals": True, "Next": "F"}],
        "Default": "P",
    }
    machine = on.create({"A": choice, "F": {"Type": "Fail", "Error": "E", "Cause": "C"}, "P": PASS})
    started = [on.start(machine, {"fail": number % 2 == 0}) for number in range(7)]
    for execution in started:
        on.wait(execution)
    listed: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = on.sfn.list_executions(stateMachineArn=machine, maxResults=3, **more)
        listed += [item["executionArn"] for item in page["executions"]]
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    assert listed == started[::-1]
    failed = on.sfn.list_executions(stateMachineArn=machine, statusFilter="FAILED")["executions"]
    assert [item["executionArn"] for item in failed] == started[::-2]
    assert all(item["stopDate"] for item in failed)
    assert on.sfn.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"] == []


def test_fail_tells_error_and_cause(on: Bench) -> None:
    execution = on.start({"A": {"Type": "Fail", "Error": "BuildFailed", "Cause": "The build broke."}})
    ended = on.wait(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "BuildFailed", "The build broke.")
    last = on.sfn.get_execution_history(executionArn=execution, reverseOrder=True)["events"][0]
    assert last["executionFailedEventDetails"] == {"error": "BuildFailed", "cause": "The build broke."}


def test_history_of_a_function_named_by_its_arn(on: Bench) -> None:
    execution = on.start({"A": on.task("echo")})
    on.wait(execution)
    task = ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]
    assert on.types(execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        *task,
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_retry_counts_each_retrier_for_itself(on: Bench) -> None:
    tries: list[Any] = []

    def flaky(event: Any) -> Any:
        tries.append(event)
        if len(tries) < 4:
            raise (KeyError if len(tries) % 2 else ValueError)("again")
        return event["attempt"]

    on.functions.table["flaky"] = flaky
    retry = [
        {"ErrorEquals": ["KeyError"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0},
        {"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1.0},
    ]
    task = on.task("flaky", Parameters={"attempt.$": "$$.State.RetryCount"}, Retry=retry)
    assert on.output({"A": task}) == 3
    assert [event["attempt"] for event in tries] == [0, 1, 2, 3]


def test_unknown_executions_and_machines_have_names_for_it(on: Bench) -> None:
    with pytest.raises(on.sfn.exceptions.ExecutionDoesNotExist):
        on.sfn.describe_execution(executionArn="arn:aws:states:us-east-1:123456789012:execution:no:no")
    with pytest.raises(on.sfn.exceptions.StateMachineDoesNotExist):
        on.sfn.start_execution(stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:no")


def test_stopping_twice_keeps_the_first_end(on: Bench) -> None:
    execution = on.start({"A": {"Type": "Wait", "Seconds": 5000, "End": True}})
    first = on.sfn.stop_execution(executionArn=execution, error="First")
    second = on.sfn.stop_execution(executionArn=execution, error="Second")
    assert first["stopDate"] == second["stopDate"]
    assert on.sfn.describe_execution(executionArn=execution)["error"] == "First"


def test_forty_executions_at_once(on: Bench) -> None:
    states = {str(number): on.task("echo", Next=str(number + 1)) for number in range(5)}
    machine = on.create({**states, "5": PASS})
    with ThreadPoolExecutor(20) as threads:
        executions = list(threads.map(lambda number: on.start(machine, {"n": number}), range(40)))
        outputs = list(threads.map(lambda execution: on.wait(execution, 20)["output"], executions))
    assert [json.loads(output)["n"] for output in outputs] == list(range(40))


def test_a_task_costs_milliseconds(on: Bench) -> None:
    count = 60
    machine = on.create({**{str(n): on.task("echo", Next=str(n + 1)) for n in range(count)}, str(count): PASS})
    on.run(machine, timeout=60)
    begun = time.process_time()
    on.run(machine, timeout=60)
    assert (time.process_time() - begun) / count < 0.03, "of this process, which is the engine's where it is embedded"


def test_stopping_an_execution_that_is_just_starting(on: Bench) -> None:
    machine = on.create({"A": {"Type": "Wait", "Seconds": 5000, "End": True}})
    for _ in range(10):
        execution = on.start(machine)
        on.sfn.stop_execution(executionArn=execution)
        assert on.sfn.describe_execution(executionArn=execution)["status"] == "ABORTED"
