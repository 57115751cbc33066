"""The bot's own events hasten what GitHub shows: which of them come, what they do, and that they do no harm."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from chatops.settings import config
from chatops.steps import show
from chatops.store import shown
from chatops.store.table import Table
from fakes.github import GitHub as StandIn
from tests.faults.races.fakes import Fake
from tests.unit.resolved_template import Resolved
from tests.unit.test_show import A, B, fake, github, states

__all__ = ["fake", "github"]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE: dict[str, Any] = json.loads(
    re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "events.md").read_text("utf-8"), re.DOTALL)[1]
)
HERE = {"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::StackName": "platform-deploy"}


def event(name: str) -> dict[str, Any]:
    """As EventBridge delivers it."""
    return {**EXAMPLE, "detail": {**EXAMPLE["detail"], "deployment": {"id": name}}}


def rule(**parameters: str) -> dict[str, Any]:
    functions = Resolved(parameters, facts=HERE).resources("AWS::Serverless::Function")
    found: dict[str, Any] = functions["SweepFunction"]["Events"]["DeploymentMoved"]["Properties"]
    return found


def test_the_rule_takes_this_stacks_events_and_is_off_where_nothing_is_shown() -> None:
    assert (rule()["State"], rule(GithubDeployments="true")["State"]) == ("DISABLED", "ENABLED")
    pattern = EventPattern.load(json.dumps(rule()["Pattern"]))
    assert pattern.matches_event(EXAMPLE)
    other = json.loads(json.dumps(EXAMPLE).replace("platform-deploy-deploy", "platform-deploy-2-deploy"))
    assert not pattern.matches_event(other), "another stack's"
    assert not pattern.matches_event({**EXAMPLE, "source": "aws.states"})


def test_an_event_brings_up_its_deployment_and_no_other(
    fake: Fake, github: StandIn, rows: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the function itself, which sweeps for everything else."""
    spec = importlib.util.spec_from_file_location("sweep_app", ROOT / "lambdas" / "sweep" / "app.py")
    assert spec
    assert spec.loader
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    fake.deploy(A, "v1")
    fake.plan(B, version="v2")
    assert app.handler(event(B), None) == {}
    assert states(github, B) == ["in_progress"]
    assert [each.deployment_id for each in shown.waiting(rows) if not each.state] == [A]
    fake.succeed(B)
    app.handler(event(B), None)
    assert states(github, B) == ["in_progress", "success"]
    calls = len(github.calls)
    app.handler(event(B), None)
    assert len(github.calls) == calls, "a second one finds nothing to do"
    app.handler({"source": "aws.events"}, None)
    assert states(github, A) == ["success"]


@pytest.mark.parametrize("detail", [None, {}, [], {"deployment": "x"}, {"deployment": {"id": "d-unknown"}}])
def test_what_says_nothing_does_nothing(fake: Fake, github: StandIn, detail: object) -> None:
    fake.plan(A)
    show.told({**EXAMPLE, "detail": detail})
    assert github.calls == []


def test_trouble_is_left_to_the_next_sweep(fake: Fake, github: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.plan(A)
    with monkeypatch.context() as patch:
        patch.setattr(shown, "get", lambda *_: 1 / 0)
        show.told(event(A))
    github.down = True
    show.told(event(A))
    github.down = False
    fake.time.pass_by(shown.HELD)
    fake.sweep()
    assert states(github, A) == ["in_progress"]


def test_it_does_nothing_where_it_is_off(
    fake: Fake, github: StandIn, rows: Table, environment: pytest.MonkeyPatch
) -> None:
    fake.plan(A)
    environment.setenv("GITHUB_DEPLOYMENTS", "false")
    config.reset()
    show.told(event(A))
    assert github.calls == []
