"""Which calls of AWS each function makes in a play, in IAM's words: who, the action, and the resource."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from chatops.settings import secrets
from tests.simulator.lambdas import Lambdas
from tests.simulator.points import Plan
from tests.simulator.session import ENVIRONMENT, Session, target_of
from tests.statemachine.conftest import CANARIES

ACCOUNT = "us-east-1:123456789012"
TABLE = f"arn:aws:dynamodb:{ACCOUNT}:table/{ENVIRONMENT['CHATOPS_TABLE']}"
SECRETS = {
    secrets.SLACK: f"arn:aws:secretsmanager:{ACCOUNT}:secret:platform-deploy-slack-1-a1b2c3",
    secrets.GITHUB: f"arn:aws:secretsmanager:{ACCOUNT}:secret:platform-deploy-github-1-a1b2c3",
    secrets.WEBHOOK: f"arn:aws:secretsmanager:{ACCOUNT}:secret:platform-deploy-webhook-1-a1b2c3",
}
EVERY = "*"
"""The resource of an action that knows none."""
MEMBERS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
"""A transaction needs what its members need.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html"""

Call = tuple[str, str, str]
"""A function's local name, an action, a resource."""


def _dynamodb(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation != "TransactWriteItems":
        yield operation, _table(asked)
        return
    for member in asked["TransactItems"]:
        yield from ((MEMBERS[kind], _table(inside)) for kind, inside in member.items())


def _table(asked: Mapping[str, Any]) -> str:
    return f"arn:aws:dynamodb:{ACCOUNT}:table/{asked['TableName']}"


def _states(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield operation, str(asked.get("stateMachineArn") or asked.get("executionArn") or EVERY)


def _secretsmanager(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield operation, str(asked["SecretId"])


def _ecs(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    named = [asked.get("serviceDeploymentArn", ""), *asked.get("serviceDeploymentArns", ())]
    named += [*asked.get("serviceRevisionArns", ()), *asked.get("tasks", ())]
    cluster = asked.get("cluster", "")
    services = [*asked.get("services", ()), *([asked["service"]] if "service" in asked else [])]
    named += [f"arn:aws:ecs:{ACCOUNT}:service/{cluster}/{name.rpartition('/')[2]}" for name in services]
    yield from ((operation, name) for name in named if name)
    if not any(named):
        yield operation, EVERY


def _codedeploy(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html"""
    application = asked["applicationName"]
    where = {
        "GetDeploymentConfig": f"deploymentconfig:{asked.get('deploymentConfigName')}",
        "GetApplicationRevision": f"application:{application}",
    }
    group = f"deploymentgroup:{application}/{asked['deploymentGroupName']}"
    if operation in ("StopDeployment", "ContinueDeployment", "ListDeploymentTargets", "BatchGetDeploymentTargets"):
        yield operation, EVERY
    else:
        yield operation, f"arn:aws:codedeploy:{ACCOUNT}:{where.get(operation, group)}"


def _events(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    assert all("EventBusName" not in entry for entry in asked["Entries"]), "another bus than the default one"
    yield operation, f"arn:aws:events:{ACCOUNT}:event-bus/default"


SERVICES: Mapping[str, tuple[str, Callable[[str, Mapping[str, Any]], Iterator[tuple[str, str]]]]] = {
    "dynamodb": ("dynamodb", _dynamodb),
    "stepfunctions": ("states", _states),
    "secretsmanager": ("secretsmanager", _secretsmanager),
    "ecs": ("ecs", _ecs),
    "codedeploy": ("codedeploy", _codedeploy),
    "events": ("events", _events),
}
"""By boto3's name: IAM's, and what a request is about."""


class SecretsManager:
    """Secrets Manager, as far as it is asked."""

    def get_secret_value(self, **asked: Any) -> dict[str, str]:
        here = {name for name, variable in secrets.STORED_IN.items() if SECRETS[variable] == asked["SecretId"]}
        return {"SecretString": json.dumps({name: value for name, value in CANARIES.items() if name in here})}


class _Client:
    """A client that notes each call before it goes on to the real one."""

    def __init__(self, real: Any, note: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._real, self._note, self.exceptions = real, note, getattr(real, "exceptions", None)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation, real = "".join(part.capitalize() for part in method.split("_")), getattr(self._real, method)

        def call(**asked: Any) -> Any:
            self._note(operation, asked)
            return real(**asked)

        return call


class Recorder:
    """Notes the calls of every play of the session from here on, in `calls`. The functions' secrets come from Secrets
    Manager, each function reading them for itself."""

    def __init__(self, session: Session, patch: pytest.MonkeyPatch) -> None:
        self.calls: set[Call] = set()
        self._functions: list[str] = []
        for name in CANARIES:
            patch.delenv(name, raising=False)
        for variable, arn in SECRETS.items():
            patch.setenv(variable, arn)
        begin, invoke = session.begin, Lambdas.invoke

        def begun(plan: Plan, *given: Any) -> None:
            self._target = target_of(plan.scenario)
            begin(plan, *given)
            known = {**session.clients, "secretsmanager": SecretsManager()}
            session.clients = {service: _Client(real, self._noting(service)) for service, real in known.items()}

        def invoked(lambdas: Lambdas, name: str, *given: Any) -> Any:
            secrets.reset()  # each function is a process of its own
            self._functions.append(name)
            try:
                return invoke(lambdas, name, *given)
            finally:
                self._functions.pop()
                secrets.reset()

        patch.setattr(session, "begin", begun)
        patch.setattr(Lambdas, "invoke", invoked)

    def _noting(self, service: str) -> Callable[[str, Mapping[str, Any]], None]:
        prefix, about = SERVICES[service]

        def note(operation: str, asked: Mapping[str, Any]) -> None:
            if self._functions:
                # a deployment's id does not say its group; a play has one
                group = {"applicationName": self._target, "deploymentGroupName": "live"}
                found = about(operation, {**(group if service == "codedeploy" else {}), **asked})
                self.calls |= {(self._functions[-1], f"{prefix}:{action}", where) for action, where in found}

        return note
