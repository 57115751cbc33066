"""What GitHub shows of deployments: one record for each, its status, whatever is lost on the way; nothing when off."""

from __future__ import annotations

import time as real
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from chatops.domain.errors import GitHubUnavailable
from chatops.domain.github_budget import Need
from chatops.domain.question import Answer, Question
from chatops.domain.results import StageResult
from chatops.github import client
from chatops.github import deployments as github_deployments
from chatops.steps import show
from chatops.store import questions, results, shown
from chatops.store.table import Table
from fakes.github import Fault
from fakes.github import GitHub as StandIn
from fakes.github.grants import EVERYTHING, Grant
from fakes.github.model import Deployment
from tests.faults.races.fakes import LEE, Fake, far_ends
from tests.unit.conftest import Time
from tests.unit.direct import Direct
from tests.unit.test_github_budget import BASE, Still

ROOT = Path(__file__).resolve().parents[2]
A, B, BACK = "d-aaaaaaaaaaaa", "d-bbbbbbbbbbbb", "d-cccccccccccc"
RUN = "https://github.test/acme/checkout-api/actions/runs/1"


@pytest.fixture
def fake(rows: Table, environment: pytest.MonkeyPatch, time: Time, tmp_path: Path) -> Fake:
    environment.setenv("GITHUB_DEPLOYMENTS", "true")
    environment.setenv("CHATOPS_GITHUB_API_URL", BASE)
    return far_ends(rows, environment, time, tmp_path)


@pytest.fixture
def github(fake: Fake, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """GitHub with the commits that the fake's versions name."""
    made = StandIn(Still(time), web_url="https://github.test")  # type: ignore[arg-type]  # as much of a clock as needed
    session = requests.Session()
    session.mount("https://", Direct(made.app))
    monkeypatch.setattr(client, "_session", lambda: session)
    commit = made.default_repository.head()
    for version in ("v1", "v2"):
        sha = f"{version:0<40}"
        made.default_repository.commits[sha] = commit.__class__(sha, version, (), 0.0)
    yield made
    made.close()


def of(github: StandIn, name: str) -> list[Deployment]:
    return [it for it in github.default_repository.deployments if it.payload == {"deployment_id": name}]


def states(github: StandIn, name: str) -> list[str]:
    """Every status of the only GitHub Deployment of this deployment."""
    (only,) = of(github, name)
    return [status.state for status in only.statuses]


def sweep(fake: Fake) -> None:
    fake.time.pass_by(300)
    fake.sweep()


def test_a_deployment_that_goes_well_and_the_one_that_replaces_it(fake: Fake, github: StandIn, rows: Table) -> None:
    for name, version in ((A, "v1"), (B, "v2")):
        fake.plan(name, version=version)
        sweep(fake)
        results.keep(rows, name, "deploy", StageResult("deploy", "succeeded", done=True, claimed=True, run_url=RUN))
        fake.succeed(name)
        fake.end(name, "SUCCEEDED")
        sweep(fake)
    assert states(github, A) == ["in_progress", "success", "inactive"]
    assert states(github, B) == ["in_progress", "success"]
    (made,) = of(github, B)
    assert (made.sha, made.environment, made.statuses[-1].log_url) == (f"{'v2':0<40}", "dev", RUN)
    asked = {"auto_merge": False, "required_contexts": []}
    assert asked.items() <= made.asked.items(), "GitHub neither merges nor waits for checks"
    assert shown.waiting(rows) == []
    calls = len(github.calls)
    sweep(fake)
    assert len(github.calls) == calls, "nothing is left to be done"


def test_a_rollback_has_one_of_its_own_for_the_old_commit(fake: Fake, github: StandIn) -> None:
    fake.deploy(A, "v1")
    fake.deploy(B, "v2")
    fake.time.pass_by(1)
    fake.plan(BACK, "rollback", version="")
    sweep(fake)
    fake.take_in_the_end(BACK)
    fake.succeed(BACK)
    sweep(fake)
    assert [of(github, name)[0].state for name in (A, B, BACK)] == ["inactive", "inactive", "success"]
    assert of(github, BACK)[0].sha == f"{'v1':0<40}"


def test_it_is_queued_until_it_is_approved(
    fake: Fake, github: StandIn, rows: Table, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    fake.forget_targets()
    fake.plan(A)
    sweep(fake)
    questions.ask(rows, A, Question(fake.time(), fake.time() + 900, (LEE,)))
    sweep(fake)
    assert states(github, A) == ["queued"]
    questions.record(rows, A, Answer.APPROVED, LEE)
    sweep(fake)
    assert states(github, A) == ["queued", "in_progress"]
    fake.succeed(A)
    sweep(fake)
    assert f" {len(github.calls)} GitHub requests more" in (ROOT / "docs" / "costs.md").read_text("utf-8")


def test_one_that_broke_leaves_the_one_before_as_live(fake: Fake, github: StandIn) -> None:
    fake.deploy(A, "v1")
    sweep(fake)
    fake.plan(B, version="v2")
    fake.fail(B)
    sweep(fake)
    assert [of(github, name)[0].state for name in (A, B)] == ["success", "failure"]
    assert of(github, B)[0].statuses[-1].description == "Rolled Back"


POSTS = pytest.mark.parametrize("path", ["/deployments$", "/statuses$"])


@POSTS
@pytest.mark.parametrize("lost", [True, False])
def test_a_lost_request_and_a_lost_reply_are_made_up_for_by_the_next_sweep(
    fake: Fake, github: StandIn, monkeypatch: pytest.MonkeyPatch, path: str, lost: bool
) -> None:
    """And never by a second GitHub Deployment."""
    real_post = {"/deployments$": github_deployments.create, "/statuses$": github_deployments.report}[path]
    troubles = [GitHubUnavailable("github_silent", request="POST", error="ReadTimeout")]

    def post(*arguments: object) -> object:
        made = real_post(*arguments) if not (lost and troubles) else 0
        if troubles:
            raise troubles.pop()
        return made

    monkeypatch.setattr(github_deployments, real_post.__name__, post)
    fake.plan(A)
    sweep(fake)
    fake.succeed(A)
    sweep(fake)
    assert states(github, A)[-1] == "success"


def test_a_token_that_may_not_costs_one_request_an_hour_and_no_error(fake: Fake, github: StandIn, rows: Table) -> None:
    github.grant = Grant({**EVERYTHING, "deployments": "none"})
    fake.deploy(A, "v1")
    for _ in range(12):
        sweep(fake)
    assert len([call for call in github.calls if call.status == 403]) == 1
    github.grant = Grant(EVERYTHING)
    sweep(fake)
    assert states(github, A) == ["success"]


def test_it_is_given_up_a_day_after_the_end(fake: Fake, github: StandIn, rows: Table) -> None:
    github.down = True
    fake.deploy(A, "v1")
    sweep(fake)
    assert len(shown.waiting(rows)) == 1
    fake.time.pass_by(show.LONGEST)
    sweep(fake)
    assert shown.waiting(rows) == []


def test_who_comes_second_writes_nothing(fake: Fake, github: StandIn, rows: Table) -> None:
    fake.plan(A)
    (seen,) = shown.waiting(rows)
    assert shown.hold(rows, seen)
    show.bring_up(seen, real.monotonic() + 9)
    assert github.calls == []
    fake.time.pass_by(shown.HELD)
    show.bring_up(seen, real.monotonic() + 9)
    assert states(github, A) == ["in_progress"]
    fake.succeed(A)
    show.bring_up(seen, real.monotonic() + 9)
    assert states(github, A) == ["in_progress"], "it has seen what is not so any more"


def test_without_time_nothing_more_is_begun(fake: Fake, github: StandIn, rows: Table) -> None:
    fake.plan(A)
    (seen,) = shown.waiting(rows)
    show.bring_up(seen, real.monotonic() - 1)
    assert [call.method for call in github.calls] == ["GET"]
    sweep(fake)
    assert states(github, A) == ["in_progress"]


def test_what_is_left_of_the_hour_is_for_deployments_first() -> None:
    assert max(Need, key=lambda need: need.kept) is Need.SHOW


@pytest.mark.parametrize("payload", ["", "{}", '{"deployment_id": "d-other"}', "no JSON", {"deployment_id": 7}, [1]])
def test_what_other_people_record_is_not_taken_for_ours(fake: Fake, github: StandIn, payload: object) -> None:
    sha = f"{'v1':0<40}"
    theirs = Deployment(9, sha, sha, "deploy", "dev", payload, "", 0.0)
    github.default_repository.deployments.append(theirs)
    fake.plan(A)
    sweep(fake)
    assert states(github, A) == ["in_progress"]
    assert theirs.statuses == []


def test_ours_is_found_where_github_gives_the_payload_as_a_text(fake: Fake, github: StandIn, rows: Table) -> None:
    sha = f"{'v1':0<40}"
    github.default_repository.deployments.append(
        Deployment(9, sha, sha, "deploy", "dev", f'{{"deployment_id": "{A}"}}', "", 0.0)
    )
    fake.plan(A)
    sweep(fake)
    (only,) = github.default_repository.deployments
    assert only.state == "in_progress"


def test_when_it_is_off_there_is_neither_a_row_nor_a_request(
    fake: Fake, github: StandIn, rows: Table, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("GITHUB_DEPLOYMENTS")
    from chatops.settings import config

    config.reset()
    fake.deploy(A, "v1")
    sweep(fake)
    assert github.calls == []
    assert shown.waiting(rows) == []


def test_a_fault_that_says_to_wait_is_obeyed(fake: Fake, github: StandIn) -> None:
    github.faults.append(Fault.secondary_limit(retry_after=400))
    fake.plan(A)
    sweep(fake)
    asked = len(github.calls)
    sweep(fake)
    assert len(github.calls) == asked
    sweep(fake)
    assert states(github, A) == ["in_progress"]
