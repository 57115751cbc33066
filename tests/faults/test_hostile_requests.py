"""The Slack edge against whatever is not signed right: refused, nothing looked at, never an exception."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import boto3
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient

from chatops import http
from chatops.edge import handler
from chatops.slack import client as slack
from tests.faults.conftest import Edge
from tests.faults.corpus_file import corpus
from tests.faults.counts import storm, storms
from tests.faults.hostile_bodies import COMMAND, form
from tests.faults.hostile_requests import FAMILIES, NOW, event, hostile, sign, signed
from tests.faults.spies import REACHED, ReachedError, Spies

REFUSED = {400, 401, 413}
Delivered = list[dict[str, str]]


@pytest.fixture
def delivered(environment: pytest.MonkeyPatch, spies: Spies) -> Delivered:
    """What was accepted as Slack's."""
    found: Delivered = []

    def deliver(fields: dict[str, str]) -> dict[str, Any]:
        found.append(fields)
        return {"statusCode": 200, "body": ""}

    environment.setattr(handler, "deliver", deliver)
    return found


@storms
def test_hostile_requests_are_refused(edge: Edge, delivered: Delivered, spies: Spies, count: int, seed: int) -> None:
    answers = storm(hostile, edge, count, seed)
    assert (delivered, spies.calls, set(answers)) == ([], [], REFUSED)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FAMILIES)), st.randoms())
def test_every_family_is_refused(edge: Edge, delivered: Delivered, spies: Spies, family: str, pick: Random) -> None:
    """The same generators under hypothesis, which makes what fails small."""
    assert edge(FAMILIES[family](pick)) in REFUSED
    assert (delivered, spies.calls) == ([], [])


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
parts = st.fixed_dictionaries(
    {},
    optional={
        "requestContext": json_like,
        "headers": json_like | st.dictionaries(st.sampled_from([*signed(b"x")]), json_like),
        "body": json_like,
        "isBase64Encoded": json_like,
    },
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_like | parts)
def test_an_event_of_any_shape_is_refused(edge: Edge, delivered: Delivered, spies: Spies, given_event: Any) -> None:
    assert edge(given_event) in REFUSED
    assert (delivered, spies.calls) == ([], [])


@pytest.mark.parametrize(("why", "made"), list(corpus()), ids=[why for why, _ in corpus()])
def test_the_corpus_is_refused(edge: Edge, delivered: Delivered, spies: Spies, why: str, made: Any) -> None:
    assert edge(made) in REFUSED
    assert (delivered, spies.calls) == ([], [])


# -- what is right is let in: else all of the above would hold of an edge that is shut ------------------------------


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(
    ("off", "status"), [(0, 200), (299, 200), (300, 200), (301, 401), (-299, 200), (-300, 200), (-301, 401)]
)
def test_three_hundred_seconds_either_way_are_accepted_and_three_hundred_and_one_refused(
    edge: Edge, delivered: Delivered, off: int, status: int, encoded: bool
) -> None:
    raw = form(**COMMAND)
    assert edge(event(raw, signed(raw, NOW + off), encoded)) == status
    assert delivered == ([COMMAND] if status == 200 else [])


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("size", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_a_body_may_be_as_large_as_the_bound_and_no_larger(
    edge: Edge, delivered: Delivered, size: int, status: int, encoded: bool
) -> None:
    raw = b"command=x&text=".ljust(http.MAX_BODY + size, b"a")
    assert edge(event(raw, signed(raw), encoded)) == status
    assert len(delivered) == (status == 200)


@pytest.mark.parametrize("name", ["x-slack-signature", "X-Slack-Signature", "X-SLACK-SIGNATURE"])
def test_any_case_of_a_header_is_accepted(edge: Edge, delivered: Delivered, name: str) -> None:
    raw = form(**COMMAND)
    headers = {"X-Slack-Request-Timestamp": str(NOW), name: sign(raw)}
    assert edge(event(raw, headers)) == 200
    assert len(delivered) == 1


def test_each_spy_sees_its_client(spies: Spies) -> None:
    """A spy that nobody could trip would prove nothing."""
    wire = boto3.client("sts")
    wire.meta.events.register("before-send.*", lambda **_: None)
    tries: list[Any] = [
        wire.get_caller_identity,
        lambda: requests.get("http://127.0.0.1:9/", timeout=1),
        lambda: WebClient("xoxb-x").auth_test(),
        lambda: slack.respond("http://127.0.0.1:9/", text="x"),
    ]
    for attempt in tries:
        with contextlib.suppress(ReachedError):
            attempt()
    assert len(spies.calls) == len(tries)
    assert set(spies.calls) <= set(REACHED)
