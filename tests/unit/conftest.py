"""What the tests of the shared package have in common: an environment, a clock to move, and a table."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest

from bench.built import Built, build
from chatops import aws, clock
from chatops.github import budget
from chatops.settings import config, targets
from chatops.slack import membership
from chatops.store.table import Table
from local.engine.patches.dynamodb import transactions_copy_what_they_touch, writes_are_serializable
from local.engine.patches.patcher import Patches, Settings
from local.engine.patches.speed import answers_are_written_from_what_they_hold
from tests.unit.ssh_host import Host, Server, serving

TABLE = "chatops"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "CHATOPS_TABLE": TABLE,
    "CHATOPS_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:chatops-deploy",
    "GITHUB_ID": "acme",
    "GITHUB_REPO": "checkout-api",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "SLACK_BOT_TOKEN": "xoxb-local",
    "GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_local",
    "POWERTOOLS_METRICS_NAMESPACE": "ChatOps",
    "POWERTOOLS_SERVICE_NAME": "chatops",
}
_OURS = ("CHATOPS_", "GITHUB_", "SLACK_", "ECS_", "CODEDEPLOY_", "GIF_", "DEPLOY_", "ROLLBACK_", "AWS_")


class Time:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.at = 1_760_000_000.0

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


_made, _targets = aws.made, targets._cached  # themselves, whatever a test puts in their place


def _forget() -> None:
    config.reset()
    _targets.cache_clear()
    _made.cache_clear()
    membership._workspaces.clear()


@cache
def _dynamodb() -> Any:
    """Made once: a client of its own for each test would take longer than the test."""
    return boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The plain variables and nothing else; what is set during the test is read afresh at the first look."""
    import os

    for name in [n for n in os.environ if n.startswith(_OURS)]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # everybody is a member; `test_membership.py` and the tests with Slack's fake ask
    monkeypatch.setattr(membership, "standing", lambda *_, **__: None)
    monkeypatch.setattr(budget, "drawn", lambda _: 0.0)  # `test_github_budget.py` draws
    _forget()
    yield monkeypatch
    _forget()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The package's clock, standing still until it is moved."""
    standing = Time()
    monkeypatch.setattr(clock, "now", standing)
    return standing


PATCHES = (
    transactions_copy_what_they_touch,
    writes_are_serializable,
    answers_are_written_from_what_they_hold,
)


@pytest.fixture
def rows(environment: pytest.MonkeyPatch) -> Iterator[Table]:
    """The stack's table, empty; its reads and writes are serializable, as the embedded engine's are."""
    patches = Patches()
    for patch in PATCHES:
        patch(patches, Settings(""))
    with moto.mock_aws():
        client = _dynamodb()
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
        yield Table(TABLE, client)
    patches.undo()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Built:
    """Made once, whoever of pytest's processes comes first."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder if worker_id == "master" else folder.parent) / "built"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Built(folder) if folder.exists() else build(folder)


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real sshd on this machine, with keys and a home of its own."""
    with serving(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def host(ssh_server: Server, tmp_path: Path) -> Iterator[Host]:
    """A host without releases, and a repository whose commits can be released there."""
    host = Host.fresh(ssh_server, tmp_path)
    yield host
    host.close()
