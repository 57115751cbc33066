"""Holds every function to its own policy in template.yaml, as IAM would: what it does not allow is denied here too.

Each function's process gets its own name as access key, and a request signed with that name is looked at before the
engine or a fake of AWS sees it. So every scenario also tests that the policies allow enough. Of resources only secrets
are compared here; tests/simulator/test_least_privilege.py compares the others.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.engine import server
from local.runtime import pool
from local.runtime.template import Function
from local.session import SECRETS
from local.web import Mounts
from tests.unit.test_template_rules import FUNCTIONS, names, statements

SERVICES = {
    "AWSStepFunctions": "states",
    "DynamoDB_20120810": "dynamodb",
    "secretsmanager": "secretsmanager",
    "AWSEvents": "events",
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "CodeDeploy_20141006": "codedeploy",
}
MEMBERS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
"""A transaction needs what its members need.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html"""
READ = "secretsmanager:GetSecretValue"
CREDENTIAL = re.compile(r"Credential=(\w+)/")

Application = Callable[..., Any]


def allowed() -> dict[str, set[str]]:
    """Local name of a function -> the actions that its policy allows, and which secrets it may read."""
    return {
        properties["CodeUri"].split("/")[1]: {one for each in statements(properties) for one in _named(each)}
        for properties in FUNCTIONS.values()
    }


def _named(statement: dict[str, Any]) -> Iterator[str]:
    for action in statement["Action"]:
        if action == READ:
            yield from (f"{READ} {SECRETS[name]}" for name in names(statement["Resource"]))
        else:
            yield action


def actions(environ: dict[str, Any]) -> set[str]:
    """What a request wants to do, in IAM's words."""
    prefix, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    service = SERVICES.get(prefix, prefix)
    action = f"{service}:{operation}"
    if action not in ("dynamodb:TransactWriteItems", READ):
        return {action}
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(body)
    asked = json.loads(body)
    if action == READ:
        return {f"{READ} {asked['SecretId']}"}
    return {f"{service}:{MEMBERS[kind]}" for member in asked["TransactItems"] for kind in member}


def enforce(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Deny what no policy allows, for sessions that are built from here on. The list names every denial."""
    denials: list[str] = []
    policies = allowed()
    variables = pool.reserved_variables

    def named(function: Function) -> dict[str, str]:
        return {**variables(function), "AWS_ACCESS_KEY_ID": function.name}

    def guarded(real: Application, concerns: Callable[[dict[str, Any]], bool]) -> Application:
        def call(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
            signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
            if concerns(environ) and signed and signed[1] in policies:
                refused = actions(environ) - policies[signed[1]]
                if refused:
                    text = f"{signed[1]} is not allowed to {', '.join(sorted(refused))}"
                    denials.append(text)
                    start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
                    return [json.dumps({"__type": "AccessDeniedException", "message": text}).encode()]
            return real(self, environ, start_response)

        return call

    monkeypatch.setattr(pool, "reserved_variables", named)
    engine, web = server._Application, Mounts
    monkeypatch.setattr(engine, "__call__", guarded(engine.__call__, lambda _: True))
    monkeypatch.setattr(web, "__call__", guarded(web.__call__, lambda environ: "HTTP_X_AMZ_TARGET" in environ))
    return denials
