"""Signed and hostile: whoever holds the secret, or talks through Slack, gets words or a 400, and starts only what is
an execution's input in form, with a version that the allow-list lets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import CannotSendRequest, HTTPConnection
from random import Random
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatops import aws, clock
from chatops.domain.command_text import is_version
from chatops.domain.errors import Refusal
from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.question import Question
from chatops.domain.release import Release
from chatops.domain.request import Request, read
from chatops.edge import fields, handler
from chatops.settings.targets import targets
from chatops.store import questions, releases
from chatops.store.table import Table
from tests.faults.conftest import Edge
from tests.faults.counts import MANY, SEED, storm
from tests.faults.hostile_bodies import COMMAND, ID, form
from tests.faults.hostile_requests import event, signed
from tests.faults.memory import Memory
from tests.faults.signed_requests import CARD, CLICK, MAKERS, OUTSIDER, signed_body
from tests.faults.states import States
from tests.unit import stored

LIMIT = 256 * 1024
"""Bytes of an execution's input: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v2", "requester": {"id": "U0ABSENT2"}}
Slack = Callable[[bytes], int]


@pytest.fixture
def states(rows: Table, environment: pytest.MonkeyPatch) -> States:
    """A deployment that waits for its approval, another whose card has a Roll back button; nobody answers HTTP."""
    fake, real = States(), aws.client
    environment.setattr(aws, "client", lambda name, **more: fake if name == "stepfunctions" else real(name, **more))
    for name in (ID, CARD):
        stored.begin(rows, name, "arn", {**PLAN, "channel": "C0DEPLOY1"})
    later = clock.now() + 3600
    questions.ask(rows, ID, Question(0, later, ("U0ABSENT1",)))
    live = Release("v2", deployment_id=CARD, verified_at="2025-01-02T00:00:00.000Z")
    rows.transact(releases.adding("dev", live))

    def nobody(_self: HTTPConnection) -> NoReturn:
        raise CannotSendRequest  # which slack_sdk does not try again after a pause

    environment.setattr(HTTPConnection, "connect", nobody)
    return fake


@pytest.fixture
def slack(states: States, edge: Edge, environment: pytest.MonkeyPatch) -> Slack:
    """Post a signed body; the status. Trouble (an exception that the edge has caught) is a failure here."""

    def trouble(error: Exception) -> NoReturn:
        raise AssertionError("the edge met trouble") from error

    environment.setattr(handler, "_trouble", trouble)
    environment.setattr(handler, "within", lambda _seconds, found: handler.deliver(found))
    return lambda raw: edge(event(raw, signed(raw)))


def check(states: States) -> list[Request]:
    """What was started is what AWS takes, and `plan` can read it or refuse it in words."""
    found = []
    for name, made in states.started.items():
        assert EXECUTION_NAME.fullmatch(name)
        assert len(made.encode()) < LIMIT
        asked = json.loads(made)
        json.dumps(asked, ensure_ascii=False).encode()
        assert is_version(asked.get("version", "v1"))
        assert fields.user(asked["requester"]["id"]), "nobody is taken for an operator in the console"
        try:
            found.append(read(asked, targets()))
        except Refusal:
            continue
        assert found[-1].version == asked.get("version", "")
    return found


def everything(memory: Memory) -> list[Any]:
    """All rows but the notes of what a cancel without an id meant: here, nothing."""
    meant = [row for row in memory.rows() if row["pk"].startswith("DELIVERY#")]
    assert all(row["about"] == "" for row in meant)
    return [row for row in memory.rows() if row not in meant]


@pytest.mark.parametrize(
    ("count", "seed"), [(1000, 3), pytest.param(MANY // 10, 4 + SEED, marks=pytest.mark.slow)], ids=["everyday", "gate"]
)
def test_signed_hostile_bodies_start_only_what_is_in_form(
    slack: Slack, states: States, memory: Memory, count: int, seed: int
) -> None:
    before = everything(memory)
    assert set(storm(signed_body, slack, count, seed)) <= {200, 400, 413}
    assert any(asked.command == "rollback" for asked in check(states)), "some were let through"
    assert everything(memory) == before


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(MAKERS)), st.randoms())
def test_every_family_is_answered(slack: Slack, states: States, kind: str, pick: Random) -> None:
    """The same generators under hypothesis, which makes what fails small."""
    assert slack(MAKERS[kind](pick)) in (200, 400, 413)
    check(states)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["deploy", "status", "rollback"]), st.text(max_size=60) | st.from_regex(r"v[0-9a-z./;$-]{1,9}"))
def test_any_text_after_a_command_is_answered(slack: Slack, states: States, kind: str, typed: str) -> None:
    raw = form(**COMMAND | {"command": f"/platform-{kind}", "text": typed.encode("utf-8", "replace").decode()})
    states.started.clear()
    assert slack(raw.replace(b"U0DANA001", OUTSIDER.encode())) == 200
    check(states)


# -- what the storms have found, one by one --------------------------------------------------------------------------


def click(**more: Any) -> bytes:
    action = {"action_id": more.pop("action", "roll_back"), "value": more.pop("value", CARD)}
    return form(payload=json.dumps({**CLICK, **more, "actions": [action]}))


@pytest.mark.parametrize("body", ["", "{", "NaN,", "[" * 50_000, "9" * 5000, '{"type":' * 5000])
def test_a_payload_that_is_no_json_is_malformed(slack: Slack, body: str) -> None:
    assert slack(form(payload=body)) == 400


@pytest.mark.parametrize("user", ["", " ", "dana", "U" * 40, "u0dana001", "\x00"])
def test_a_command_that_names_nobody_starts_nothing(slack: Slack, states: States, user: str) -> None:
    """An execution without a requester is an operator's, who may do what others may not."""
    assert slack(form(**COMMAND | {"user_id": user})) == 400
    assert slack(form(**COMMAND | {"user_id": user, "text": "cancel"})) == 400
    assert states.started == {}


def test_fields_that_are_none_of_slacks_are_left_out_of_the_input(slack: Slack, states: States) -> None:
    """Else a long one would make an input of over 256 KiB, which Step Functions refuses."""
    odd = {"channel_id": "é" * 9000, "response_url": "https://x/" + "é" * 15_000, "user_name": "🚀" * 5000}
    assert slack(form(**COMMAND | odd | {"user_id": OUTSIDER})) == 200
    (made,) = states.started.values()
    assert len(made) < 2000
    assert {"channel", "response_url"}.isdisjoint(json.loads(made))
    states.started.clear()
    assert slack(click(channel={"id": "C" * 50_000}, response_url="https://x/" + "é" * 15_000)) == 200
    assert all(len(made) < 2000 for made in states.started.values())


def test_half_of_a_surrogate_pair_reaches_no_input_and_no_table(slack: Slack, states: States) -> None:
    assert slack(click(user={**CLICK["user"], "name": "dana \ud800"}, team={"id": "\ud800"})) == 200
    check(states)
    assert EXECUTION_NAME.fullmatch("\ud800") is None
    assert slack(click(value="d-\ud800")) == 200


def test_an_entity_that_slack_does_not_send_stays_as_it_is(slack: Slack, states: States) -> None:
    """Slack escapes & < > and nothing else; `&#99…9;` made Python's own unescape raise."""
    assert slack(form(**COMMAND | {"user_id": OUTSIDER, "text": f"&#{'9' * 5000};"})) == 200
    asked = {"command": "/platform-rollback", "text": "because of &#36;HOME &amp;&amp; &lt;b&gt; &amp;lt;"}
    assert slack(form(**COMMAND | {"user_id": OUTSIDER} | asked)) == 200
    (made,) = states.started.values()
    assert json.loads(made)["reason"] == "because of &#36;HOME && <b> &lt;"


@pytest.mark.parametrize("url", ["http://a b/", "http://[", "http://x:99999", "https://\x00/", "file:///etc/passwd"])
def test_a_response_url_that_is_none_is_no_trouble(slack: Slack, url: str) -> None:
    assert slack(click(response_url=url, value="d-unknown")) == 200


def test_a_challenge_that_is_no_text_for_the_wire_is_answered(slack: Slack) -> None:
    assert slack(b'{"type":"url_verification","challenge":"a\\ud800"}') == 200
