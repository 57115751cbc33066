"""Every request that the product makes to GitHub is one that GitHub's published REST description knows.

`test_github_fake_description.py` says where the description comes from; without it these tests are skipped.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from chatops.domain.codec import SCHEMA
from chatops.domain.deployment import Deployment
from chatops.domain.target import Target
from chatops.messages import statuses
from chatops.steps.dispatch import payload
from tests.contract.github_calls import CALLS, Call, event, place
from tests.contract.test_github_calls_answers import Fake, github
from tests.contract.test_github_fake_description import (
    DESCRIPTION,
    as_json_schema,
    checker,
    components,
    description,
    jsonschema,
)
from tests.unit.conftest import environment
from tests.unit.test_run_conclusions import CONCLUSIONS

__all__ = ["environment"]

described = pytest.mark.skipif(not DESCRIPTION.exists(), reason="make check installs GitHub's REST description")
PACKAGE = Path(__file__).parents[2] / "lambdas" / "shared" / "chatops"
ASKING = {"get": 0, "find": 0, "pages": 0, "find_post": 0, "request": 1}
"""The client's methods, and which argument is the path."""


# -- the list is complete ----------------------------------------------------------------------------------------


def _text(node: ast.expr) -> str | None:
    """A path as it stands in the code, with `x` for what is put in; None for what is none."""
    if isinstance(node, ast.JoinedStr):
        made = "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values)
        return made.removeprefix("x") if made.startswith("x/") else made
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _requests() -> Iterator[tuple[str, str, str]]:
    """File, method and path of each request in the code."""
    for file in sorted((PACKAGE / "github").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            at = ASKING.get(node.func.attr)
            if at is None or len(node.args) <= at:
                continue
            path = node.args[at]
            if isinstance(path, ast.Name) and path.id == "path":
                continue  # handed on inside the client; whoever calls that is looked at
            text = _text(path)
            if text is None or not (text == "" or text.startswith("/")):
                continue
            method = _text(node.args[0]) if at else {"find_post": "POST"}.get(node.func.attr, "GET")
            yield file.name, str(method), text if text.startswith("/app/") else f"/repos/acme/checkout-api{text}"


def _places() -> set[tuple[str, str]]:
    found = {(method, place(method, path)) for _, method, path in _requests()}
    # made of a variable: the address that an installation's token is asked for at
    return found | {("POST", "/app/installations/{installation_id}/access_tokens")}


def test_the_list_has_every_request_of_the_code_and_no_other() -> None:
    assert _places() == {(call.method, call.described) for call in CALLS.values()}


def test_nobody_else_speaks_http() -> None:
    outside = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if file.parent.name != "github" and "import requests" in file.read_text("utf-8")
    ]
    assert outside == []


# -- each is as described ----------------------------------------------------------------------------------------


def sent(call: Call) -> requests.PreparedRequest:
    """The request as it leaves; its answer is a good one."""
    fake = Fake(call)
    call.make(github(fake, call))
    return fake.asked[0]


def parameters(operation: dict[str, Any], item: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By place and name, references followed."""
    found = {}
    for each in [*item.get("parameters", []), *operation.get("parameters", [])]:
        known = each
        if ref := each.get("$ref"):
            known = description()["components"]["parameters"][ref.rpartition("/")[2]]
        found[known["in"], known["name"]] = known
    return found


def problems(value: Any, schema: dict[str, Any]) -> list[str]:
    closed = as_json_schema(schema) | {"components": components()}
    found = jsonschema.Draft202012Validator(closed, format_checker=checker()).iter_errors(value)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in found]


def typed(text: str, schema: dict[str, Any]) -> Any:
    """A parameter's text as the value that it stands for; a time of GitHub's search syntax as that time.

    https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates
    """
    if schema.get("format") == "date-time":
        return text.removeprefix(">=")
    return int(text) if schema.get("type") == "integer" and text.isdigit() else text


@pytest.mark.slow
@described
@pytest.mark.parametrize("name", CALLS)
def test_a_request_is_as_described(name: str, environment: pytest.MonkeyPatch) -> None:
    call = CALLS[name]
    request = sent(call)
    parts = urlsplit(str(request.url))
    assert place(str(request.method), parts.path) == call.described
    item = description()["paths"][call.described]
    operation = item[call.method.lower()]
    known = parameters(operation, item)

    query = dict(parse_qsl(parts.query))
    assert {name for where, name in known if where == "query"} >= set(query)
    for key, text in query.items():
        assert problems(typed(text, known["query", key]["schema"]), known["query", key]["schema"]) == []
    assert int(query.get("per_page", 100)) == 100, "the most that GitHub gives at once"
    missing = [n for (where, n), p in known.items() if where == "query" and p.get("required") and n not in query]
    assert missing == []
    for (where, key), parameter in known.items():
        if where == "path":
            given = dict(zip(call.described.split("/"), parts.path.split("/"), strict=False)).get(f"{{{key}}}", "")
            assert given
            assert problems(typed(given, parameter["schema"]), parameter["schema"]) == []

    body = operation.get("requestBody")
    if request.body is None:
        assert not (body or {}).get("required")
    else:
        assert body is not None
        schema = body["content"]["application/json"]["schema"]
        assert problems(json.loads(request.body), schema) == []
    assert request.headers["Accept"] == "application/vnd.github+json"
    assert request.headers["User-Agent"], "GitHub refuses requests without one"


@pytest.mark.slow
@described
@pytest.mark.parametrize("name", CALLS)
def test_the_good_answer_is_among_the_described_ones(name: str) -> None:
    call = CALLS[name]
    assert str(call.status) in description()["paths"][call.described][call.method.lower()]["responses"]


@pytest.mark.slow
@described
def test_no_request_counts_among_the_80_a_minute_that_create_content() -> None:
    """GitHub's description warns of each that does; so the fake's secondary limits are points and concurrency alone.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    paths = description()["paths"]
    warned = {
        (method, path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "too quickly" in operation.get("description", "")
    }
    assert ("post", "/repos/{owner}/{repo}/issues") in warned
    assert warned.isdisjoint((call.method.lower(), call.described) for call in CALLS.values())


@pytest.mark.parametrize("stage", ["build", "deploy", "rollback"])
def test_a_payload_stays_within_githubs_limits(stage: str, environment: pytest.MonkeyPatch) -> None:
    """At most 10 keys and 64 KB: https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event"""
    target = Target("t" * 40, "acme/checkout-api", "dev_deploy", strategy="codedeploy")
    back = {"version": "v" * 128, "sha": "a" * 40, "image": "i" * 512}
    state = {"plan": {"schema": SCHEMA, **back, "previous": back}, "build": {"outputs": {"image": "i" * 512}}}
    deployment = Deployment.of({"deployment_id": "d-" + "a" * 78, "state": state})
    made = payload(deployment, stage, target, "T" * 43, shown=True)
    assert set(made) == set(event())
    assert len(made) <= 10
    assert all(isinstance(value, str | int) for value in made.values())
    assert len(json.dumps(made).encode()) < 4096


@pytest.mark.slow
@described
def test_the_payloads_limits_are_the_described_ones() -> None:
    operation = description()["paths"]["/repos/{owner}/{repo}/dispatches"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["client_payload"]["maxProperties"] == 10
    too_many = {"event_type": "x", "client_payload": {str(n): n for n in range(11)}}
    assert problems(too_many, schema)
    assert problems({"event_type": "x" * 101}, schema)


@pytest.mark.slow
@described
def test_the_conclusions_of_a_run_are_the_described_ones() -> None:
    """tests/unit/test_run_conclusions.py goes through them; a tenth is decided about there."""
    listed = description()["components"]["schemas"]["check-suite"]["properties"]["conclusion"]["enum"]
    assert {each for each in listed if each} <= set(statuses.RESULTS), "each has a text for people"
    assert {name for name in listed if name} == set(CONCLUSIONS)
