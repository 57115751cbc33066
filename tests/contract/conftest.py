"""The fakes, served on a port of their own, for the tests of what they promise."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from slack_sdk import WebClient
from werkzeug.serving import make_server
from werkzeug.test import Client

from fakes.clock import Clock
from fakes.ecs import Ecs
from fakes.github import GitHub, Script
from fakes.slack import Slack

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}


class Time(Clock):
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1_712_345_678.0

    def now(self) -> float:
        return self.at


@dataclass
class EcsApi:
    """boto3's client, the fake behind it, and the fake's time."""

    client: Any
    ecs: Ecs
    time: Time

    def service(self) -> dict[str, Any]:
        found = self.client.describe_services(cluster="checkout", services=["checkout-api"])["services"]
        return dict(found[0])

    def newest(self) -> dict[str, Any]:
        """The newest service deployment; its brief form and its full one agree."""
        found = self.client.list_service_deployments(cluster="checkout", service="checkout-api")
        brief = found["serviceDeployments"][0]
        arns = [brief["serviceDeploymentArn"]]
        full = self.client.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"][0]
        assert full["status"] == brief["status"]
        return dict(full)

    def deploy(self, version: str = "v2") -> str:
        """Register and roll out a version as a pipeline would; the task definition's ARN."""
        container = {"name": "checkout-api", "image": f"registry/app:{version}"}
        answer = self.client.register_task_definition(family="checkout-api", containerDefinitions=[container])
        arn = str(answer["taskDefinition"]["taskDefinitionArn"])
        self.client.update_service(cluster="checkout", service="checkout-api", taskDefinition=arn)
        return arn


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[str]:
    """The application's address, as long as it is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def mismatches(shape: Shape, value: Any, where: str = "") -> list[str]:
    """Where a value is not what botocore's model says: unknown or missing keys, wrong types, bad enums."""
    if isinstance(shape, StructureShape):
        return _structure(shape, value, where)
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            return [f"{where}: not a list"]
        items = enumerate(value)
        return [line for n, item in items for line in mismatches(shape.member, item, f"{where}[{n}]")]
    if isinstance(shape, MapShape):
        items = value.items()
        return [line for key, item in items for line in mismatches(shape.value, item, f"{where}.{key}")]
    wanted = SCALARS[shape.type_name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        return [f"{where}: {value!r} is no {shape.type_name}"]
    allowed = getattr(shape, "enum", [])
    return [f"{where}: {value!r} is not one of {allowed}"] if allowed and value not in allowed else []


def _structure(shape: StructureShape, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: not an object"]
    found = [f"{where}.{key}: unknown" for key in value if key not in shape.members]
    found += [f"{where}.{key}: missing" for key in shape.required_members if key not in value]
    for key, member in shape.members.items():
        if key in value:
            found += mismatches(member, value[key], f"{where}.{key}")
    return found


@pytest.fixture
def api() -> Iterator[EcsApi]:
    """ECS through boto3; after each call the raw answer is checked against the model."""
    time = Time()
    ecs = Ecs(time)
    with served(ecs.app) as url:
        client = boto3.client(
            "ecs",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

        def check(http_response: Any, model: Any, **_: Any) -> None:
            if http_response.status_code == 200:
                assert mismatches(model.output_shape, json.loads(http_response.content)) == []

        client.meta.events.register("after-call.ecs", check)
        yield EcsApi(client, ecs, time)
        client.close()


@pytest.fixture
def slack() -> Iterator[Slack]:
    """A Slack workspace that answers over HTTP."""
    workspace = Slack(Clock())
    with served(workspace.app) as url:
        workspace.base_url = url
        yield workspace


@pytest.fixture
def web(slack: Slack) -> WebClient:
    """slack_sdk's own client of that workspace, with the bot's token."""
    return WebClient("xoxb-local", base_url=slack.api_url)


@pytest.fixture
def github() -> Iterator[GitHub]:
    """GitHub's fake, with builds that ask nobody and take no time."""
    github = GitHub(Clock(1000))
    github.script["build"] = Script(claims=False, appear_seconds=0, seconds=0)
    yield github
    github.close()


@pytest.fixture
def client(github: GitHub) -> Client:
    """Requests to it, without a network."""
    return Client(github.mount)
