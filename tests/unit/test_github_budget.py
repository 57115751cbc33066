"""GitHub's rate limit as all deployments share it: one waits, all wait; what is left goes first to what people wait
for; and a row that says nothing usable changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError

from chatops.domain import github_budget
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited
from chatops.domain.github_budget import HOUR, Budget, Need
from chatops.github import budget, client, runs
from chatops.github.client import GitHub
from chatops.store import budgets
from chatops.store.table import Table
from fakes.github import Fault
from fakes.github import GitHub as StandIn
from tests.unit.conftest import Time
from tests.unit.direct import Direct

BASE = "https://api.github.test"
LIMIT = 5000


class Still:
    """The fake's clock is the package's."""

    def __init__(self, time: Time) -> None:
        self.now = time

    def sleep(self, _: float) -> bool:
        return True


@pytest.fixture
def fake(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """GitHub, for all clients that `client.github` makes."""
    made = StandIn(Still(time), web_url="https://github.test")  # type: ignore[arg-type]  # as much of a clock as needed
    made.actions_enabled = False
    session = requests.Session()
    session.mount("https://", Direct(made.app))
    monkeypatch.setenv("CHATOPS_GITHUB_API_URL", BASE)
    monkeypatch.setattr(client, "_session", lambda: session)
    yield made
    made.close()


def github(need: Need = Need.LOOK, repository: str = "acme/checkout-api") -> GitHub:
    """A client of its own, as every invocation has."""
    return client.github(repository, need)


def refused(need: Need = Need.LOOK) -> GitHubRateLimited:
    with pytest.raises(GitHubRateLimited) as caught:
        github(need).get("")
    return caught.value


def stored(rows: Table) -> dict[str, Any]:
    (found,) = rows.query("GITHUB") or [{}]
    return found


def leave(fake: StandIn, left: int) -> None:
    """So many requests are left after the next one."""
    fake.rate_limit.look(fake.clock.now())
    fake.rate_limit.used = LIMIT - left - 1


# -- a pause ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("need", Need)
def test_one_deployments_retry_after_is_everybodys(fake: StandIn, time: Time, need: Need) -> None:
    """GitHub may ban whoever goes on during a pause, so nobody does, whatever it is for."""
    fake.faults.append(Fault.secondary_limit(retry_after=90))
    assert refused().wait_seconds == 90
    time.pass_by(89)
    assert refused(need).wait_seconds == 1
    assert len(fake.calls) == 1, "the second deployment has sent nothing"
    time.pass_by(1)
    assert github(need).get("")["full_name"] == "acme/checkout-api"


def test_a_used_up_hour_is_everybodys_until_its_reset(fake: StandIn, time: Time) -> None:
    leave(fake, 0)
    github(Need.NOW).get("")
    asked = len(fake.calls)
    assert refused(Need.NOW).wait_seconds == HOUR
    assert len(fake.calls) == asked, "GitHub would refuse it"
    time.pass_by(HOUR)
    github(Need.NOW).get("")


def test_a_refusal_without_a_time_is_a_minute_and_doubles_while_github_refuses_again(fake: StandIn, time: Time) -> None:
    fake.faults.append(Fault.secondary_limit(retry_after=None, times=None))
    waited = []
    for _ in range(8):
        waited.append(refused().wait_seconds)
        time.pass_by(waited[-1])
    assert waited == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    time.pass_by(2 * HOUR)
    assert refused().wait_seconds == 60


def test_a_shorter_pause_that_is_heard_of_later_does_not_shorten_the_longer_one(rows: Table, time: Time) -> None:
    budgets.pause(rows, "t", 300, time())
    budgets.pause(rows, "t", 60, time())
    assert budgets.get(rows, "t").pause(time()) == 300
    budgets.pause(rows, "t", 400, time())
    assert budgets.get(rows, "t").pause(time()) == 400


@pytest.mark.parametrize(
    ("need", "seconds"),
    [(Need.NOW, 10), (Need.PLAN, 40), (Need.BUILD, 120), (Need.END, 30), (Need.LOOK, 120), (Need.SHOW, 120)],
)
def test_those_who_have_waited_begin_again_one_after_the_other(
    fake: StandIn, monkeypatch: pytest.MonkeyPatch, need: Need, seconds: int
) -> None:
    monkeypatch.setattr(budget, "drawn", lambda most: most / 2)
    fake.faults.append(Fault.secondary_limit(retry_after=90))
    found = refused(need)
    assert (found.wait_seconds, found.again_seconds) == (90, 90 + seconds / 2)
    shared = refused(need)
    assert (shared.wait_seconds, shared.again_seconds) == (90, 90 + seconds / 2)


@pytest.mark.parametrize(("share", "seconds"), [(0.0, 0), (0.25, 10), (1.0, 40)])
def test_commands_begin_one_after_the_other_after_a_pause(
    fake: StandIn, time: Time, share: float, seconds: int
) -> None:
    fake.faults.append(Fault.secondary_limit(retry_after=90))
    refused()
    time.pass_by(90)
    if seconds:
        with pytest.raises(GitHubRateLimited) as caught:
            github(Need.PLAN).give_way(share)
        assert caught.value.wait_seconds == pytest.approx(seconds)
    time.pass_by(seconds + 0.1)
    github(Need.PLAN).give_way(share)


def test_what_is_drawn_lies_within_the_seconds_and_differs() -> None:
    found = {budget.drawn(120) for _ in range(50)}
    assert 0 <= min(found) < max(found) <= 120
    assert len(found) > 40


def test_each_token_has_a_row_of_its_own(fake: StandIn, rows: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.tokens.add("ghp_other")
    fake.faults.append(Fault.secondary_limit(retry_after=90))
    refused()
    monkeypatch.setattr(client, "_token", lambda _: "ghp_other")
    assert github().get("")["full_name"] == "acme/checkout-api"
    assert "ghp" not in str(stored(rows)), "the row does not hold the token"


def test_each_owners_installation_has_a_row_of_its_own(
    fake: StandIn, rows: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tokens:
        def token(self, *_: object) -> str:
            return "ghp_local"

    monkeypatch.setenv("GITHUB_APP_ID", "77")
    monkeypatch.setattr(client, "_app_tokens", lambda *_, **__: Tokens())
    fake.faults.append(Fault.secondary_limit(retry_after=90))
    refused()
    assert stored(rows)["sk"] == "BUDGET#77#acme"
    with pytest.raises(GitHubRateLimited):
        github(repository="ACME/other").get("")
    assert len(fake.calls) == 1
    with pytest.raises(client.GitHubRefused):
        github(repository="another/owner").get("")
    assert len(fake.calls) == 2, "asked: it is another installation's limit"


# -- what is left ---------------------------------------------------------------------------------------------------

KEPT = {Need.NOW: 0, Need.PLAN: 100, Need.END: 200, Need.LOOK: 500, Need.SHOW: 1000}


@pytest.mark.parametrize("left", [999, 499, 199, 99, 1])
def test_what_is_left_is_kept_for_what_people_wait_for(fake: StandIn, time: Time, left: int) -> None:
    leave(fake, left)
    github(Need.NOW).get("")
    asked = len(fake.calls)
    time.pass_by(600)
    for need, kept in KEPT.items():
        if left >= kept:
            continue
        with pytest.raises(GitHubPostponed) as caught:
            github(need).get("")
        assert caught.value.wait_seconds == HOUR - 600
    assert len(fake.calls) == asked, "what is postponed costs nothing"
    runs.dispatch(github(Need.NOW), "dev_deploy", {})
    time.pass_by(HOUR - 600)
    github(Need.LOOK).get("")


def test_a_bot_that_uses_little_of_the_hour_writes_nothing(fake: StandIn, rows: Table) -> None:
    for _ in range(30):
        github().get("")
    assert stored(rows) == {}


def test_an_hour_that_is_used_up_costs_few_writes(fake: StandIn, rows: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(budgets, "left", recorded(budgets.left, written))
    leave(fake, LIMIT - 1)
    fake.rate_limit.limit = LIMIT
    for left in range(LIMIT - 1, 0, -10):
        leave(fake, left)
        github(Need.NOW).get("")
    assert 10 <= len(written) <= 14


def recorded(write: Callable[..., None], into: list[Any]) -> Callable[..., None]:
    def left(*given: Any) -> None:
        into.append(given)
        write(*given)

    return left


@pytest.mark.parametrize("order", [(300, 200, 100), (100, 200, 300), (200, 100, 300)])
def test_an_older_answer_never_overwrites_a_newer_one(rows: Table, time: Time, order: tuple[int, ...]) -> None:
    for left in order:
        budgets.left(rows, "t", Budget(remaining=left, limit=LIMIT, reset_at=time() + 60), time())
    assert budgets.get(rows, "t").remaining == 100
    budgets.left(rows, "t", Budget(remaining=1, limit=LIMIT, reset_at=time() + 30), time())
    assert budgets.get(rows, "t").remaining == 100, "that hour is over"
    budgets.left(rows, "t", Budget(remaining=900, limit=LIMIT, reset_at=time() + 3660), time() + 61)
    assert budgets.get(rows, "t").remaining == 900


def test_the_row_expires(rows: Table, time: Time) -> None:
    budgets.pause(rows, "t", 60, time())
    assert stored(rows)["expires_at"] == int(time()) + 2 * HOUR


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "5", "X-RateLimit-Limit": "5000"},
        {"X-RateLimit-Remaining": "-5", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": "1760000060"},
        {"X-RateLimit-Remaining": "5", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": "soon"},
        {"X-RateLimit-Remaining": "5", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": "1760000000"},
        {"X-RateLimit-Remaining": "5", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": "1760009000"},
        {
            "X-RateLimit-Remaining": "5",
            "X-RateLimit-Limit": "30",
            "X-RateLimit-Reset": "1760000060",
            "X-RateLimit-Resource": "search",
        },
    ],
)
def test_headers_that_say_nothing_of_this_limit_are_not_believed(headers: dict[str, str]) -> None:
    assert github_budget.seen(headers, 1_760_000_000.0) is None


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        {"paused_until": 9e12},
        {"paused_until": "for ever"},
        {"paused_until": {"a": 1}},
        {"paused_until": [], "remaining": None},
        {"paused_until": -1, "paused_for": 1e100},
        {"remaining": 0, "limit": 5000, "reset_at": 9e12},
        {"remaining": "none", "limit": 5000, "reset_at": 1_760_000_060},
        {"remaining": -7, "limit": -5000, "reset_at": 1_760_000_060},
        {"schema": 999},
    ],
)
@pytest.mark.parametrize("need", [Need.NOW, Need.LOOK])
def test_a_row_that_makes_no_sense_changes_nothing(
    fake: StandIn, rows: Table, nonsense: dict[str, Any], need: Need
) -> None:
    rows.put({"pk": "GITHUB", "sk": f"BUDGET#{client._mark()}", **nonsense})
    assert github(need).get("")["full_name"] == "acme/checkout-api"
    fake.faults.append(Fault.secondary_limit(retry_after=17))
    assert refused(need).wait_seconds == 17


def test_a_time_beyond_all_limits_is_overwritten(rows: Table, time: Time) -> None:
    rows.put({"pk": "GITHUB", "sk": "BUDGET#t", "paused_until": 9e12, "reset_at": 9e12, "remaining": 0, "limit": 1})
    budgets.pause(rows, "t", 60, time())
    budgets.left(rows, "t", Budget(remaining=7, limit=LIMIT, reset_at=time() + 60), time())
    assert budgets.get(rows, "t") == Budget(time() + 60, 60, 7, LIMIT, time() + 60)


@pytest.mark.parametrize("error", [ClientError({"Error": {"Code": "ThrottlingException"}}, "x"), None])
def test_a_table_that_does_not_answer_stops_no_request(
    fake: StandIn, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise error or EndpointConnectionError(endpoint_url="https://dynamodb")

    for name in ("get", "update"):
        monkeypatch.setattr(Table, name, broken)
    leave(fake, 3)
    assert github().get("")["full_name"] == "acme/checkout-api"
    fake.faults.append(Fault.secondary_limit(retry_after=17))
    assert refused().wait_seconds == 17
    assert len(fake.calls) == 2
