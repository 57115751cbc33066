"""The run behind a stage: whether it may have begun to change the service, and whether it may still go on."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.stage import Stage
from chatops.domain.target import Target, Timing
from chatops.github import runs
from chatops.github.client import Reply
from chatops.github.runs import Run
from chatops.steps import stage_run
from tests.unit.conftest import Time
from tests.unit.test_runs import body

CLAIMING = Target("dev", "acme/checkout-api", "dev_deploy", timing=Timing(appear=60))
NAMED = Target("dev", "acme/checkout-api", "dev_deploy", timing=Timing(appear=60), claim=False)
ID = "d-abcdefghijkl"
GONE = GitHubRefused(404, "acme/checkout-api", "Not Found")


class Fake:
    """GitHub as far as runs go. `found`: of a run that is asked for by id; `named`: of one that is looked for."""

    def __init__(self) -> None:
        self.found: Any = {}
        self.named: Run | None = None
        self.asked: list[tuple[Any, ...]] = []
        self.deleted = False

    def get(self, client: object, run_id: int) -> Reply:
        assert client is self
        self.asked.append(("get", run_id))
        if isinstance(self.found, Exception):
            raise self.found
        return Reply(200, body(run_id, **self.found), "", "")

    def look(self, client: object, name: str, since: float) -> Run | None:
        assert client is self
        self.asked.append(("named", name, since))
        if isinstance(self.found, Exception):
            raise self.found
        return self.named

    def gone(self, client: object) -> bool:
        assert client is self
        return self.deleted


@pytest.fixture
def fake(time: Time, monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()

    def github(repository: str) -> Fake:
        assert repository == "acme/checkout-api"
        return fake

    monkeypatch.setattr(stage_run, "github", github)
    monkeypatch.setattr(runs, "get", fake.get)
    monkeypatch.setattr(runs, "named", fake.look)
    monkeypatch.setattr(runs, "deleted", fake.gone)
    return fake


def stage(row: dict[str, Any]) -> Stage:
    return codec.read(Stage, row)


def goes_on(target: Target, row: dict[str, Any] | None) -> bool:
    return stage_run.may_go_on(target, ID, "deploy", None if row is None else stage(row))


@pytest.mark.parametrize(
    ("row", "claiming", "named"),
    [
        (None, False, False),
        ({}, False, False),
        ({"tried_at": 0}, False, False),
        ({"tried_at": 10.0}, False, True),
        ({"run_id": 9}, True, True),
        ({"run_id": 9, "tried_at": 10.0}, True, True),
    ],
)
def test_a_run_may_change_the_service_once_it_claimed_or_where_none_claims_once_it_was_asked_for(
    fake: Fake, row: dict[str, Any] | None, claiming: bool, named: bool
) -> None:
    known = None if row is None else stage(row)
    assert stage_run.may_change(CLAIMING, known) is claiming
    assert stage_run.may_change(NAMED, known) is named
    if not claiming:
        assert not goes_on(CLAIMING, row)
    if not named:
        assert not goes_on(NAMED, row)
    assert fake.asked == [], "nobody asks GitHub about what cannot be"


@pytest.mark.parametrize("target", [CLAIMING, NAMED])
@pytest.mark.parametrize(
    ("status", "conclusion", "on"),
    [("queued", None, True), ("in_progress", None, True), ("completed", "success", False)],
)
def test_a_run_that_claimed_goes_on_until_it_has_completed(
    fake: Fake, target: Target, status: str, conclusion: str | None, on: bool
) -> None:
    fake.found = {"status": status, "conclusion": conclusion}
    assert goes_on(target, {"run_id": "9", "tried_at": 10.0}) is on
    assert fake.asked == [("get", 9)]


@pytest.mark.parametrize(("status", "on"), [("in_progress", True), ("completed", False)])
def test_where_none_claims_the_run_of_our_name_since_it_was_asked_for_is_the_one(
    fake: Fake, status: str, on: bool
) -> None:
    fake.named = runs.read(body(status=status))
    assert goes_on(NAMED, {"tried_at": "10.5"}) is on
    assert fake.asked == [("named", f"{ID} deploy", 10.5)]


@pytest.mark.parametrize(("late", "on"), [(0, True), (59.9, True), (60, False), (61, False)])
def test_a_run_that_is_not_to_be_seen_may_still_come_as_long_as_runs_may_take_to_appear(
    fake: Fake, time: Time, late: float, on: bool
) -> None:
    row = {"tried_at": time()}
    time.pass_by(late)
    assert goes_on(NAMED, row) is on
    assert not goes_on(CLAIMING, row), "what has not claimed changes nothing"


@pytest.mark.parametrize(
    ("trouble", "deleted", "on"),
    [
        (GitHubUnavailable("503"), True, True),
        (GitHubRateLimited(60), True, True),
        (GitHubRefused(401, "acme/checkout-api", "Bad credentials"), True, True),
        (GitHubRefused(410, "acme/checkout-api", "Gone"), True, True),
        (GONE, False, True),
        (GONE, True, False),
    ],
)
def test_whatever_github_does_not_say_the_run_is_taken_for_alive(
    fake: Fake, trouble: Exception, deleted: bool, on: bool
) -> None:
    fake.found, fake.deleted = trouble, deleted
    assert goes_on(CLAIMING, {"run_id": 9}) is on
    assert goes_on(NAMED, {"tried_at": 10.0}) is on


def test_the_run_is_found_by_its_claim_else_by_its_name_else_not_at_all(fake: Fake) -> None:
    fake.named = runs.read(body(4))
    find = stage_run.find
    assert find(fake, CLAIMING, ID, "build", stage({"run_id": 9})) == runs.read(body(9))  # type: ignore[arg-type]
    assert find(fake, CLAIMING, ID, "build", stage({"tried_at": 10.0})) is None  # type: ignore[arg-type]
    assert find(fake, NAMED, ID, "build", stage({})) is None  # type: ignore[arg-type]
    assert find(fake, NAMED, ID, "build", stage({"tried_at": 10.0})) == fake.named  # type: ignore[arg-type]
    assert fake.asked == [("get", 9), ("named", f"{ID} build", 10.0)]
