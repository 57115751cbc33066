"""One local run for all tests of a file, whose external services are made anew for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from chatops.settings import config
from doctor.checks import CHECKS
from doctor.installation import Installation
from doctor.local_run import described
from doctor.runner import Finding, examine
from fakes.clock import Clock
from fakes.github import GitHub
from fakes.slack import Slack
from local import people, provision
from local.session import Session, session

OURS = ("CHATOPS_", "GITHUB_", "SLACK_", "ECS_", "CODEDEPLOY_", "GIF_", "DEPLOY_", "ROLLBACK_", "AWS_")


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    """The engine, the functions and the gateway, which no fault here touches.

    Not for longer than one file: the next test of the same process may want an engine of its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        import os

        for name in [name for name in os.environ if name.startswith(OURS)]:
            patch.delenv(name)
        # the same documents again and again: a third of a look's time with PyYAML's own parser
        patch.setattr(yaml, "SafeLoader", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        with session() as made:
            yield made


@pytest.fixture
def made(shared: Session) -> Iterator[Session]:
    """The local run with external services that nobody has touched yet."""
    clock = Clock()
    shared.platforms, shared.slack = provision.Platforms.empty(clock), Slack(clock, f"{shared.url}/_slack")
    shared.platforms.add(shared.targets)
    shared.ecs, shared.codedeploy = shared.platforms.ecs, shared.platforms.codedeploy
    shared.github = GitHub(clock, repositories=provision.repositories(shared.targets, clock.now()))
    people.introduce(shared.slack.space, shared.targets, shared.channel)
    mounted: dict[str, Any] = {"_github": shared.github.mount, "_slack": shared.slack.app}
    shared._mounts._shifted.update(mounted)
    shared._mounts._aws.update(shared.platforms.services())
    config.reset()
    yield shared
    shared.github.close()
    clock.close()


Look = Callable[..., list[Finding]]


@pytest.fixture
def look(made: Session) -> Look:
    """All findings about the local run, or those of `only` some checks; `changes` are settings."""

    def asked(changes: dict[str, str] | None = None, *only: str, **more: Any) -> list[Finding]:
        found: Installation = described(made, changes)
        for name, value in more.items():
            setattr(found, name, value)
        return list(examine(found, [check for check in CHECKS if check.name in (only or (check.name,))]))

    return asked
