"""`claim` and `finish` against whoever lacks the ticket or the run: refused, nothing written or woken, no exception."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatops import http
from chatops.domain import codec
from chatops.github import oidc
from chatops.steps import stage
from chatops.store import stages, wakeups
from chatops.store.table import Conflict, Item
from lambdas.stage import app
from tests.faults.counts import storm, storms
from tests.faults.hostile_bodies import ID
from tests.faults.hostile_stages import CLAIM, FAMILIES, FINISH, PAPER, RIGHT, hostile
from tests.faults.hostile_tokens import Tokens
from tests.faults.spies import Spies
from tests.unit.job_tokens import EXPECTED, RUN, jobs

REFUSED = {400, 403}


class OneTicket:
    """A table that holds one stage, which run 9001 has claimed. `reads`: the keys that were looked up. `writes`: what
    was changed; a finish by another run is refused, as DynamoDB refuses it."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, str]] = []
        self.writes: list[str] = []
        pointer = {"deployment_id": ID, "stage": "build", "target": "dev"}
        row = {"state": "claimed", "run_id": RUN, "target": "dev", "expected": codec.as_json(EXPECTED)}
        self.rows: dict[tuple[str, str], Item] = {
            (f"TICKET#{stages._hash(PAPER)}", "TICKET"): pointer,
            (f"DEPLOYMENT#{ID}", "STAGE#build"): row,
        }

    def get(self, pk: str, sk: str) -> Item | None:
        assert len(pk.encode()) < 2048, "DynamoDB's longest partition key"
        self.reads.append((pk, sk))
        return self.rows.get((pk, sk))

    def update(self, pk: str, sk: str, _change: str, condition: str, facts: dict[str, Any]) -> Item:
        assert condition == "#state = :claimed AND #run_id = :run"
        row = self.rows[(pk, sk)]
        if row["run_id"] == facts["run"]:
            self.writes.append(pk)
        raise Conflict(old=row)

    def __getattr__(self, name: str) -> Any:
        def changed(*_arguments: Any, **_named: Any) -> None:
            self.writes.append(name)

        return changed


@pytest.fixture
def table(environment: pytest.MonkeyPatch, spies: Spies) -> OneTicket:
    """In the step's place of the table; who is woken is a write like another."""
    made = OneTicket()
    environment.setattr(stage, "table", lambda: made)
    environment.setattr(wakeups, "wake", lambda *_a, **_n: made.writes.append("wake"))
    return made


@pytest.fixture
def tokens(environment: pytest.MonkeyPatch) -> Tokens:
    """Of an issuer whose keys are known."""
    made = Tokens(jobs(environment))
    oidc.issuer().claims(made.right)
    return made


def ask(event: Any) -> int:
    """The answer's status, once it is known to be one that a gateway can send and that gives nothing away."""
    answer = app.handler(event, None)
    assert set(answer) == {"statusCode", "headers", "body"}
    told = json.loads(answer["body"])
    assert list(told) == ["message"]
    assert len(answer["body"].encode()) < 1000
    assert PAPER not in answer["body"]
    status = answer["statusCode"]
    assert isinstance(status, int)
    return status


def test_the_request_that_the_others_are_made_of_is_a_good_one(table: OneTicket, tokens: Tokens) -> None:
    event = {
        "routeKey": CLAIM,
        "headers": {"authorization": f"Bearer {tokens.right}"},
        "body": json.dumps(RIGHT[CLAIM]),
    }
    assert app.handler(event, None)["statusCode"] == 200
    finish = {**event, "routeKey": FINISH, "body": json.dumps(RIGHT[FINISH])}
    app.handler(finish, None)
    assert table.writes == [f"DEPLOYMENT#{ID}"]


@storms
def test_hostile_requests_claim_and_finish_nothing(
    table: OneTicket, tokens: Tokens, spies: Spies, count: int, seed: int
) -> None:
    answers = storm(lambda pick: hostile(pick, tokens), ask, count, seed)
    assert (table.writes, spies.calls, set(answers)) == ([], [], REFUSED)
    assert table.reads, "some of them were in form, and looked up"


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FAMILIES)), st.randoms())
def test_every_family_is_refused(table: OneTicket, tokens: Tokens, spies: Spies, family: str, pick: Random) -> None:
    """The same generators under hypothesis, which makes what fails small."""
    assert ask(FAMILIES[family](pick, tokens)) in REFUSED
    assert (table.writes, spies.calls) == ([], [])


@pytest.mark.parametrize("route", [CLAIM, FINISH])
@pytest.mark.parametrize(("size", "status"), [(-1, 403), (0, 403), (1, 400)])
def test_a_body_may_be_as_large_as_the_bound_and_no_larger(
    table: OneTicket, tokens: Tokens, route: str, size: int, status: int
) -> None:
    body = json.dumps(RIGHT[route]).ljust(http.MAX_BODY + size)
    assert ask({"routeKey": route, "body": body}) == status
