"""Two functions bring up what GitHub shows of a deployment, while it ends: one record, and in the end its end."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.github import deployments
from chatops.steps import show
from chatops.store import shown
from tests.faults.interleave import Scene, point, some
from tests.faults.races.fakes import Fake, Moment
from tests.faults.races.test_sweep_races import ID, finish, no_trouble, under_way

pytestmark = pytest.mark.slow


class GitHub:
    """Its deployments: each with its statuses."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, list[str]]] = []
        patch.setattr(deployments, "find", self.find)
        patch.setattr(deployments, "create", self.create)
        patch.setattr(deployments, "report", self.report)

    def find(self, _client: object, name: str, *_: object) -> int:
        point()
        return next((n for n, (known, _) in enumerate(self.made, 1) if known == name), 0)

    def create(self, _client: object, name: str, *_: object) -> int:
        point()
        self.made.append((name, []))
        return len(self.made)

    def report(self, _client: object, number: int, state: str, *_: object) -> None:
        point()
        self.made[number - 1][1].append(state)


def told() -> None:
    show.told({"detail": {"deployment": {"id": ID}}})


def at_once(fake: Fake, github: GitHub, kept: Moment, *, ends: bool) -> Scene:
    fake.restore(kept)
    github.made = []

    def check(results: list[Any]) -> None:
        no_trouble(results)
        if not ends:
            finish(fake)
        fake.time.pass_by(shown.HELD)
        told()
        ((name, states),) = github.made
        assert (name, states[-1]) == (ID, "success")
        assert states.count("success") == 1, "it is told once"
        assert shown.get(fake.rows, ID) is None

    return Scene([told, told, *([lambda: finish(fake)] if ends else [])], check)


@pytest.fixture
def github(fake: Fake, environment: pytest.MonkeyPatch) -> GitHub:
    environment.setenv("GITHUB_DEPLOYMENTS", "true")
    made = GitHub(environment)
    under_way(fake)
    return made


@pytest.mark.parametrize("ends", [False, True])
def test_two_at_once_make_one_and_it_shows_the_end(fake: Fake, github: GitHub, ends: bool) -> None:
    kept = fake.snapshot()
    some(lambda: at_once(fake, github, kept, ends=ends), 40, seed=7)
