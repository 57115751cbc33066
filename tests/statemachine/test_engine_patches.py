"""Each patch of the embedded engine, with it and without it.

A check holds what AWS documents. It must pass on the engine as it is, and fail once its patch is left out: a
patch whose check passes without it is not needed (any more) and goes.
"""

from __future__ import annotations

import copy
import json
import logging
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.engine import patches
from local.engine.patches import Settings, speed
from tests.statemachine.bench import Bench, RefusalError, bench, caught

CHECKS: dict[str, Callable[[Bench], None]] = {}
PASS = {"Type": "Pass", "End": True}
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def check(function: Callable[[Bench], None]) -> Callable[[Bench], None]:
    """Registers the check of the patch of the same name."""
    CHECKS[function.__name__] = function
    return function


def code(call: Callable[..., Any], **arguments: Any) -> str:
    """The error code that an API call answers with; "" if it is accepted."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.slow  # what is timed in whole seconds takes them, with each patch and without it
@pytest.mark.parametrize("name", [patch.__name__ for patch in patches.PATCHES])
def test_mend_is_needed_and_works(name: str) -> None:
    with bench() as patched:
        CHECKS[name](patched)
    with bench(without={name}) as plain, pytest.raises((AssertionError, ClientError, KeyError, ValueError)):
        CHECKS[name](plain)


def test_another_moto_is_refused_with_what_to_do() -> None:
    with pytest.raises(patches.UnexpectedMotoError, match=r"moto 5\.3\.0 is installed\. Install moto==5\.2\.5"):
        patches.check_version("5.3.0")
    patches.check_version("5.2.5")


def test_every_mend_says_what_aws_does_and_what_moto_does() -> None:
    for patch in patches.PATCHES:
        text = patch.__doc__ or ""
        assert "moto:" in text, patch.__name__
        assert "https://docs.aws.amazon.com/" in text or "AWS" in text or "Step Functions" in text, patch.__name__


# ------------------------------------------------------------------------------------------- how executions
# end


@check
def history_ends_with_the_execution(on: Bench) -> None:
    on.functions.table["slow"] = lambda event: time.sleep(0.3)
    execution = on.start({"A": on.task("slow", Next="B"), "B": PASS})
    time.sleep(0.1)
    on.sfn.stop_execution(executionArn=execution)
    time.sleep(0.4)
    assert on.types(execution)[-1] == "ExecutionAborted"
    assert on.types(execution).count("ExecutionAborted") == 1


@check
def late_events_of_a_task_are_dropped(on: Bench) -> None:
    on.functions.table["slow"] = lambda event: time.sleep(1.2)
    slow = on.task("slow", TimeoutSeconds=1, Catch=caught("States.Timeout", then="Rest"))
    execution = on.start({"A": slow, "Rest": {"Type": "Wait", "Seconds": 25, "End": True}})
    assert on.wait(execution, 20)["status"] == "SUCCEEDED"
    assert "LambdaFunctionTimedOut" in on.types(execution)
    assert "LambdaFunctionSucceeded" not in on.types(execution)


@check
def output_is_there_when_the_status_says_so(on: Bench) -> None:
    from moto.stepfunctions.parser.backend.execution import Execution

    seen: list[Any] = []

    def watch(self: Any, name: str, value: Any) -> None:
        if name == "exec_status" and value == "SUCCEEDED":
            seen.append(self.output)
        object.__setattr__(self, name, value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Execution, "__setattr__", watch, raising=False)
        on.run({"A": PASS}, {"a": 1})
    assert seen == [{"a": 1}]


@check
def stop_takes_effect_at_once(on: Bench) -> None:
    execution = on.start({"A": on.token_task("stopped", Next="B"), "B": on.task("echo")})
    token = on.functions.token("stopped")
    on.sfn.stop_execution(executionArn=execution, error="Operator", cause="enough")
    ended = on.sfn.describe_execution(executionArn=execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Operator", "enough")
    assert ended["stopDate"] >= ended["startDate"]
    assert code(on.sfn.send_task_success, taskToken=token, output="{}") == "TaskTimedOut"
    history = on.sfn.get_execution_history(executionArn=execution, reverseOrder=True)["events"]
    assert history[0]["executionAbortedEventDetails"] == {"error": "Operator", "cause": "enough"}


@check
def machine_timeout_ends_token_waits(on: Bench) -> None:
    machine = on.create({"A": on.token_task("never", Next="B"), "B": on.task("echo")}, TimeoutSeconds=1)
    execution = on.start(machine)
    token = on.functions.token("never")
    assert on.wait(execution, 20)["status"] == "TIMED_OUT"
    assert on.types(execution)[-1] == "ExecutionTimedOut"
    assert code(on.sfn.send_task_success, taskToken=token, output="{}") == "TaskTimedOut"


# -------------------------------------------------------------------------------------------------------
# tokens


@check
def one_answer_a_token(on: Bench) -> None:
    execution = on.start({"A": on.token_task("once", Next="B"), "B": {"Type": "Wait", "Seconds": 10, "End": True}})
    token = on.functions.token("once")
    assert code(on.sfn.send_task_success, taskToken="never-a-token", output="{}") == "InvalidToken"
    assert code(on.sfn.send_task_success, taskToken=token, output='"first"') == ""
    assert code(on.sfn.send_task_success, taskToken=token, output='"second"') == "TaskTimedOut"
    assert code(on.sfn.send_task_failure, taskToken=token, error="E", cause="C") == "TaskTimedOut"
    assert code(on.sfn.send_task_heartbeat, taskToken=token) == "TaskTimedOut"
    assert json.loads(on.wait(execution)["output"]) == "first"
    assert code(on.sfn.send_task_success, taskToken=token, output='"late"') == "TaskTimedOut"


@check
def failure_keeps_its_cause(on: Bench) -> None:
    states = {"A": on.token_task("failed", Catch=caught("Rejected")), "Caught": PASS}
    execution = on.start(states)
    on.sfn.send_task_failure(taskToken=on.functions.token("failed"), error="Rejected", cause="by Lee")
    assert json.loads(on.wait(execution)["output"]) == {"error": {"Error": "Rejected", "Cause": "by Lee"}}


@check
def output_must_be_json(on: Bench) -> None:
    execution = on.start({"A": on.token_task("plain")})
    token = on.functions.token("plain")
    assert code(on.sfn.send_task_success, taskToken=token, output="not json") == "InvalidOutput"
    assert code(on.sfn.send_task_success, taskToken=token, output="1") == ""
    assert on.wait(execution)["output"] == "1"


@check
def early_answer_is_kept(on: Bench) -> None:
    def answer(event: Any) -> None:
        on.sfn.send_task_success(taskToken=event["token"], output='"early"')
        time.sleep(0.1)

    on.functions.table["answer"] = answer
    with_heartbeat = on.token_task("early", "answer", TimeoutSeconds=3, HeartbeatSeconds=1)
    assert on.output({"A": with_heartbeat}) == "early"
    assert on.output({"A": on.token_task("early", "answer", TimeoutSeconds=3)}) == "early"


@check
def fresh_token_for_each_attempt(on: Bench) -> None:
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    execution = on.start({"A": on.token_task("retried", Retry=retry)})
    first = on.functions.token("retried")
    on.sfn.send_task_failure(taskToken=first, error="Again", cause="")
    second = on.functions.token("retried")
    assert second != first
    assert code(on.sfn.send_task_success, taskToken=first, output="1") == "TaskTimedOut"
    on.sfn.send_task_success(taskToken=second, output="2")
    assert on.wait(execution)["output"] == "2"


# -------------------------------------------------------------------------------------------------------
# Lambda


@check
def one_client_for_all_tasks(on: Bench) -> None:
    assert on.output({"A": on.task("echo")}, {"a": 1}) == {"a": 1}
    states = {str(number): on.task("echo", Next=str(number + 1)) for number in range(20)}
    begun = time.process_time()
    on.output({**states, "20": PASS})
    assert (time.process_time() - begun) / 20 < 0.05


@check
def service_errors_have_names(on: Bench) -> None:
    def throttled(event: Any) -> None:
        raise RefusalError(429, "TooManyRequestsException")

    on.functions.table["throttled"] = throttled
    for direct in (True, False):
        named = caught("Lambda.TooManyRequestsException")
        output = on.output({"A": on.task("throttled", direct=direct, Catch=named), "Caught": PASS})
        assert output["error"]["Error"] == "Lambda.TooManyRequestsException"
    on.functions.close()
    unreachable = on.task("echo", Catch=caught("Lambda.SdkClientException"))
    assert on.output({"A": unreachable, "Caught": PASS})["error"]["Error"] == "Lambda.SdkClientException"


# ----------------------------------------------------------------------------------------------------------
# API


@check
def definitions_are_checked(on: Bench) -> None:
    catching = on.task("echo", Catch=caught("States.ALL", then="Nowhere"))
    choosing = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Nowhere"}]}
    for state in (
        {"Type": "Pass", "Next": "Nowhere"},
        catching,
        choosing,
        {**choosing, "Choices": [], "Default": "A"},
        {**choosing, "Default": "A", "End": True},
        {"Type": "Succeed", "Next": "A"},
        {"Type": "Bogus", "End": True},
        {"Type": "Pass"},
        {"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {"A": PASS}}], "End": True},
        {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": PASS, "C": PASS}}], "End": True},
    ):
        assert code(on.create, states={"A": state}) == "InvalidDefinition", state
    assert code(on.create, states={"A": PASS}, StartAt="Nowhere") == "InvalidDefinition"
    assert code(on.create, states={"A": PASS, "Nobody leads here": PASS}) == "InvalidDefinition"
    arn = on.create({"A": PASS})
    text = json.dumps({"StartAt": "B", "States": {"A": PASS}})
    assert code(on.sfn.update_state_machine, stateMachineArn=arn, definition=text) == "InvalidDefinition"


@check
def one_execution_a_name(on: Bench) -> None:
    from moto.stepfunctions.parser import models

    class Slow:  # the moment between moto's look and its entry, drawn out
        @staticmethod
        def deepcopy(*arguments: Any) -> Any:
            time.sleep(0.05)
            return copy.deepcopy(*arguments)

    machine = on.create({"A": {"Type": "Wait", "Seconds": 50, "End": True}})
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as threads:
        patch.setattr(models, "copy", Slow)
        begun = list(
            threads.map(lambda _: on.sfn.start_execution(stateMachineArn=machine, name="one", input="{}"), range(4))
        )
    assert len({(answer["executionArn"], answer["startDate"]) for answer in begun}) == 1
    assert len(on.sfn.list_executions(stateMachineArn=machine)["executions"]) == 1
    assert code(on.sfn.start_execution, stateMachineArn=machine, name="a name", input="{}") == "InvalidName"
    unnamed = [on.sfn.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]
    assert len(set(unnamed)) == 2


@check
def input_is_limited_and_json(on: Bench) -> None:
    machine = on.create({"A": PASS})
    most = json.dumps("é" * ((262_144 - 2) // 2), ensure_ascii=False)
    assert len(most.encode()) == 262_144
    assert code(on.sfn.start_execution, stateMachineArn=machine, name="fits", input=most) == ""
    for given in (most[:-1] + 'e"', "{not json"):
        assert code(on.sfn.start_execution, stateMachineArn=machine, name="no", input=given) == "InvalidExecutionInput"


@check
def describe_tells_all(on: Bench) -> None:
    for value in ("text", None, {"é": [1]}):
        assert on.output({"A": {**PASS, "Result": value}}) == value
    late = on.run(on.create({"A": {"Type": "Wait", "Seconds": 500, "End": True}}, TimeoutSeconds=1), timeout=20)
    assert late["stopDate"] > late["startDate"]


@check
def list_tells_when_it_stopped(on: Bench) -> None:
    machine = on.create({"A": {"Type": "Wait", "Seconds": 500, "End": True}}, TimeoutSeconds=1)
    on.run(machine, timeout=20)
    listed = on.sfn.list_executions(stateMachineArn=machine, statusFilter="TIMED_OUT")["executions"]
    assert listed[0]["stopDate"] > listed[0]["startDate"]


@check
def history_has_pages(on: Bench) -> None:
    execution = on.start({"A": {"Type": "Pass", "Next": "B"}, "B": PASS})
    on.wait(execution)
    first = on.sfn.get_execution_history(executionArn=execution, maxResults=4)
    rest = on.sfn.get_execution_history(executionArn=execution, maxResults=4, nextToken=first["nextToken"])
    assert [event["id"] for event in first["events"] + rest["events"]] == [1, 2, 3, 4, 5, 6]
    assert "nextToken" not in rest
    newest = on.sfn.get_execution_history(executionArn=execution, maxResults=1, reverseOrder=True)["events"]
    assert newest[0]["type"] == "ExecutionSucceeded"


# ------------------------------------------------------------------------------------------ paths, errors,
# timing


@check
def definite_paths_give_values(on: Bench) -> None:
    paths = {
        "first.$": "$.a[0].b",
        "last.$": "$.a[2]",
        "quoted.$": "$['odd key'].x",
        "all.$": "$.a[*].b",
        "deep.$": "$..b",
        "slice.$": "$.a[0:2].b",
        "filter.$": "$.a[?(@.b==2)].b",
    }
    given = {"a": [{"b": 1}, {"b": 2}, {"b": 3}], "odd key": {"x": 0}}
    assert on.output({"A": {**PASS, "Parameters": paths}}, given) == {
        "first": 1,
        "last": {"b": 3},
        "quoted": 0,
        "all": [1, 2, 3],
        "deep": [1, 2, 3],
        "slice": [1, 2],
        "filter": [2],
    }
    assert on.run({"A": {**PASS, "InputPath": "$.a[3].b"}}, given)["error"] == "States.Runtime"


@check
def choice_needs_its_variable(on: Bench) -> None:
    rule = {"Variable": "$.gone.far", "StringEquals": "x"}
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "B"}], "Default": "B"}
    ended = on.run({"A": choice, "B": PASS})
    assert (ended["status"], ended.get("error")) == ("FAILED", "States.Runtime")
    assert "$.gone.far" in ended["cause"]
    guarded = {"And": [{"Variable": "$.gone.far", "IsPresent": True}, rule], "Next": "B"}
    assert on.output({"A": {**choice, "Choices": [guarded]}, "B": PASS}) == {}


@check
def null_has_no_paths(on: Bench) -> None:
    def ended(path: str, given: Any) -> tuple[str, str]:
        rule = {"Variable": path, "IsPresent": True, "Next": "P"}
        states = {"A": {"Type": "Choice", "Choices": [rule], "Default": "P"}, "P": PASS}
        described = on.wait(on.start(states, input=json.dumps(given)))
        return described["status"], described.get("error", "")

    assert ended("$.a", None) == ended("$.a[0].b", None) == ("FAILED", "States.Runtime")
    for given in ("text", 5, [], {}, {"a": None}, False):
        assert ended("$.a", given) == ("SUCCEEDED", "")
    assert ended("$$.Execution.Input", None) == ("SUCCEEDED", "")


@check
def times_are_json(on: Bench) -> None:
    parameters = {"started.$": "$$.Execution.StartTime", "entered.$": "$$.State.EnteredTime"}
    output = on.output({"A": on.task("echo", Parameters=parameters)})
    for value in output.values():
        assert len(value) == len("2026-01-31T12:00:00.000Z"), value
        assert value.endswith("Z")


@check
def runtime_errors_cannot_be_caught(on: Bench) -> None:
    direct = on.task("echo", Parameters={"x.$": "$.gone"}, Catch=caught("States.ALL"))
    service = on.task("echo", direct=False, Payload={"x.$": "$.gone"}, Catch=caught("States.ALL"))
    for broken in (direct, service):
        ended = on.run({"A": broken, "Caught": PASS})
        assert (ended["status"], ended.get("error")) == ("FAILED", "States.Runtime")


@check
def waits_scale(on: Bench) -> None:
    begun = time.monotonic()
    states = {
        "A": {"Type": "Wait", "Seconds": 10, "Next": "B"},
        "B": {"Type": "Wait", "SecondsPath": "$.s", "End": True},
    }
    on.run(states, {"s": 5}, timeout=12)
    assert 0.25 < time.monotonic() - begun < 10


@check
def retries_scale(on: Bench) -> None:
    retry = [{"ErrorEquals": ["KeyError"], "IntervalSeconds": 2, "BackoffRate": 2.0, "MaxAttempts": 2}]
    begun = time.monotonic()
    ended = on.run({"A": on.task("absent", Retry=retry)}, timeout=5)
    assert ended["error"] == "KeyError"
    assert len(on.functions.calls) == 3
    assert 0.1 < time.monotonic() - begun < 5


@check
def definitions_are_parsed_once(on: Bench) -> None:
    """When it is made, and not again for its executions."""
    from moto.stepfunctions.parser.asl.parse import asl_parser

    parsed: list[object] = []
    parser = asl_parser.ASLParser

    def counting(tokens: Any) -> Any:
        parsed.append(tokens)
        return parser(tokens)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asl_parser, "ASLParser", counting)
        machine = on.create({f"New to every engine {uuid.uuid4()}": PASS})
        executions = [on.start(machine) for _ in range(5)]
        for execution in executions:
            on.wait(execution)
    assert len(parsed) == 1


def test_executions_that_start_at_once_wait_for_one_of_them_to_parse() -> None:
    """And an engine that the process starts later need not parse at all; one with other patches must."""
    parsed: list[str] = []

    def slowly(definition: str) -> tuple[str]:
        time.sleep(0.05)
        parsed.append(definition)
        return (f"program of {definition}",)

    speed.forget_programs()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: speed._program("one", slowly), range(4)))
    assert (found, parsed) == (["program of one"] * 4, ["one"])
    patches.apply(Settings("http://127.0.0.1:9"), ["waits_scale"]).undo()
    speed._program("one", slowly)
    assert parsed == ["one", "one"]
    for n in range(20):
        speed._program(f"{n}", lambda definition: (definition,))
    speed._program("one", slowly)
    assert parsed == ["one"] * 3, "no more than a few are kept"
    speed.forget_programs()


@check
def answers_are_written_from_what_they_hold(on: Bench) -> None:
    from moto.core.serialize import ResponseSerializer

    asked: list[str] = []
    real = ResponseSerializer.get_value

    def counting(self: Any, value: Any, key: str, shape: Any) -> Any:
        asked.append(key)
        return real(self, value, key, shape)

    execution = on.start({"A": {"Type": "Pass", "Next": "B"}, "B": PASS})
    on.wait(execution)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResponseSerializer, "get_value", counting)
        events = on.sfn.get_execution_history(executionArn=execution)["events"]
    assert len(events) == 6
    assert len(asked) < len(events), f"{len(asked)} members were looked for"


def test_answers_say_the_same_however_they_are_written() -> None:
    def answers(on: Bench) -> list[Any]:
        client = boto3.client("dynamodb", endpoint_url=on.url, region_name="us-east-1", **CREDENTIALS)
        key = [{"AttributeName": "pk", "KeyType": "HASH"}]
        kind = [{"AttributeName": "pk", "AttributeType": "S"}]
        client.create_table(TableName="t", KeySchema=key, AttributeDefinitions=kind, BillingMode="PAY_PER_REQUEST")
        value = {
            "L": [{"M": {"a": {"N": "1.5"}, "b": {"NULL": True}, "c": {"BOOL": False}}}, {"SS": ["x", "y"]}, {"S": ""}]
        }
        client.put_item(TableName="t", Item={"pk": {"S": "one"}, "value": value, "bytes": {"B": b"\x00"}})
        refused = {"A": {"Type": "Fail", "Error": "Boom", "Cause": "why"}}
        executions = [on.start(it, name=n) for n, it in (("good", {"A": PASS}), ("bad", refused))]
        for execution in executions:
            on.wait(execution)
        histories = [on.sfn.get_execution_history(executionArn=execution)["events"] for execution in executions]
        told = [on.sfn.describe_execution(executionArn=execution) for execution in executions]
        found = [client.get_item(TableName="t", Key={"pk": {"S": "one"}})["Item"], client.scan(TableName="t")["Items"]]
        return [*found, *histories, *told]

    def plain(answer: Any) -> Any:
        if isinstance(answer, dict):
            changing = ("ResponseMetadata", "timestamp", "executionArn", "stateMachineArn", "startDate", "stopDate")
            return {name: plain(value) for name, value in answer.items() if name not in changing}
        return [plain(one) for one in answer] if isinstance(answer, list) else answer

    with bench() as patched:
        ours = plain(answers(patched))
    with bench(without={"answers_are_written_from_what_they_hold"}) as as_it_comes:
        assert plain(answers(as_it_comes)) == ours


@check
def failures_are_not_printed(on: Bench) -> None:
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keep()
    logging.getLogger().addHandler(handler)
    try:
        assert on.run({"A": {"Type": "Fail", "Error": "Boom"}})["error"] == "Boom"
        assert on.run({"A": on.task("absent")})["error"] == "KeyError"
    finally:
        logging.getLogger().removeHandler(handler)
    assert [record.name for record in records if record.name.startswith("moto")] == []


@check
def writes_are_serializable(on: Bench) -> None:
    client = boto3.client("dynamodb", endpoint_url=on.url, region_name="us-east-1", **CREDENTIALS)
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    kind = [{"AttributeName": "pk", "AttributeType": "S"}]
    client.create_table(TableName="t", KeySchema=key, AttributeDefinitions=kind, BillingMode="PAY_PER_REQUEST")
    never = {"TableName": "t", "Key": {"pk": {"S": "none"}}, "ConditionExpression": "attribute_exists(pk)"}
    put = {"Put": {"TableName": "t", "Item": {"pk": {"S": "taken back"}}}}
    copied, written = threading.Event(), threading.Event()

    def slowly(value: Any, *more: Any) -> Any:
        made = copy.deepcopy(value, *more)
        if not copied.is_set():
            copied.set()
            went_on.append(written.wait(3))  # whether somebody else's write falls in between
        return made

    went_on: list[bool] = []
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr("moto.dynamodb.models.copy", SimpleNamespace(deepcopy=slowly))
        items = [put, {"ConditionCheck": never}]
        failing = pool.submit(code, client.transact_write_items, TransactItems=items)
        assert copied.wait(5)
        client.put_item(TableName="t", Item={"pk": {"S": "kept"}})
        written.set()
        assert failing.result(10) == "TransactionCanceledException"
    assert went_on == [False], "a write went on in the middle of a transaction"
    assert [item["pk"]["S"] for item in client.scan(TableName="t")["Items"]] == ["kept"]


@check
def transactions_copy_what_they_touch(on: Bench) -> None:
    from moto.dynamodb.models.dynamo_type import DynamoType

    client = boto3.client("dynamodb", endpoint_url=on.url, region_name="us-east-1", **CREDENTIALS)
    key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    kinds = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    client.create_table(TableName="t", KeySchema=key, AttributeDefinitions=kinds, BillingMode="PAY_PER_REQUEST")

    def row(pk: str, sk: str, **more: Any) -> dict[str, Any]:
        return {"pk": {"S": pk}, "sk": {"S": sk}, **more}

    def seen() -> list[tuple[str, str, str]]:
        found = client.scan(TableName="t")["Items"]
        return sorted((item["pk"]["S"], item["sk"]["S"], item.get("n", {}).get("S", "")) for item in found)

    for n in range(60):
        client.put_item(TableName="t", Item=row(f"other{n}", "a"))
    client.put_item(TableName="t", Item=row("mine", "a", n={"S": "before"}))
    before = seen()
    update = {"TableName": "t", "Key": row("mine", "a"), "UpdateExpression": "SET n = :n"}
    members = [
        {"Update": {**update, "ExpressionAttributeValues": {":n": {"S": "after"}}}},
        {"Put": {"TableName": "t", "Item": row("mine", "b")}},
        {"Put": {"TableName": "t", "Item": row("new", "a")}},
        {"Delete": {"TableName": "t", "Key": row("other1", "a")}},
    ]
    never = {"TableName": "t", "Key": row("none", "a"), "ConditionExpression": "attribute_exists(pk)"}
    assert code(client.transact_write_items, TransactItems=[*members, {"ConditionCheck": never}]) != ""
    assert seen() == before, "what a failed transaction changed was not all put back"
    copies: list[object] = []
    real = DynamoType.__deepcopy__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoType, "__deepcopy__", lambda self, memo: copies.append(self) or real(self, memo))
        client.transact_write_items(TransactItems=members)
    assert len(seen()) == len(before) + 1
    assert len(copies) < 80, f"{len(copies)} values were copied for four rows"


@pytest.mark.slow
def test_the_engine_leaves_motos_ec2_unloaded() -> None:
    """100 MB of instance types, loaded for an enumeration of the Batch integration."""
    program = "import sys, {}; print('moto.ec2' in sys.modules, 'moto.batch' in sys.modules)"
    engine = "local.engine.server; local.engine.server.EmbeddedEngine('http://127.0.0.1:9').close()"
    answers = [
        subprocess.run([sys.executable, "-c", program.format(what)], capture_output=True, text=True).stdout.strip()
        for what in (engine, "moto.stepfunctions.parser.models")
    ]
    assert answers == ["False False", "True True"]
