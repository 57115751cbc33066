"""What an open page hears: messages, modals and executions, as they change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.slack.directory import C_DEPLOY, C_PUBLIC
from local.page import shapes
from local.page.feed import BACKLOG, Feed, Watcher
from local.page.server import Page
from tests.unit.page_session import BUTTONS, MACHINE, Session, StepFunctions, entered, event, open_modal


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def page(session: Session) -> Iterator[Page]:
    with closing(Page(session)) as made:
        yield made


def told_by(stream: Iterator[str]) -> tuple[str, Any]:
    text = next(stream)
    fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
    return fields["event"], json.loads(fields["data"])


def test_changes_reach_an_open_page(session: Session, page: Page) -> None:
    stream = page.feed.subscribe()
    assert told_by(stream)[0] == "hello"
    message = session.say("Hello\nworld", blocks=BUTTONS)
    assert told_by(stream) == ("message", shapes.message(message))
    session.say("Elsewhere", channel=C_PUBLIC)
    session.slack.space.store.edit(message, "Changed", [], 1.0)
    name, told = told_by(stream)
    assert (name, told["text"], told["edited"]) == ("message", "Changed", True)
    view_id = open_modal(session)
    name, told = told_by(stream)
    assert (name, told["id"], told["open"]) == ("view", view_id, True)
    session.user.close(session.slack.views[0])
    assert told_by(stream)[1]["open"] is False
    session.slack.space.store.delete(message)
    assert told_by(stream) == ("deleted", {"id": f"{C_DEPLOY}/{message.ts}"})
    session.slack.reset()
    assert told_by(stream)[0] == "reset"


def test_the_stream_is_an_event_stream_over_http(session: Session, page: Page) -> None:
    answer = page.app.test_client().get("/api/events")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/event-stream", "no-store")
    chunks = iter(answer.response)
    assert b"event: hello" in _bytes(next(chunks))
    session.say("news")
    assert b'"text": "news"' in _bytes(next(chunks))
    answer.close()
    assert not page.feed.listening


def _bytes(chunk: str | bytes) -> bytes:
    return chunk if isinstance(chunk, bytes) else chunk.encode()


def test_a_silent_stream_shows_that_it_lives_and_ends_when_the_page_closes(page: Page) -> None:
    stream = page.feed.subscribe(heartbeat=0.01)
    next(stream)
    assert next(stream).startswith(":")
    page.close()
    assert list(stream) == []
    assert page._changed not in page._session.slack.on_change


def test_a_page_that_does_not_read_is_let_go_and_holds_nobody_up() -> None:
    feed = Feed()
    slow = feed.subscribe()
    next(slow)
    for number in range(BACKLOG + 5):
        feed.publish("message", number)
    assert not feed.listening
    assert len(list(slow)) == BACKLOG - 1


def test_the_watcher_names_what_moved_and_leaves_what_ended_alone() -> None:
    sfn, feed = StepFunctions(), Feed()
    with closing(Watcher(sfn, MACHINE, feed, poll=60)) as watcher:
        sfn.add("d-1", "RUNNING", [event(1, "ExecutionStarted")])
        sfn.add("d-2", "SUCCEEDED", [event(1, "ExecutionStarted")])
        assert watcher.look() == ["d-1", "d-2"]
        assert watcher.look() == []
        sfn.executions["d-1"][1].append(entered(2, "Plan"))
        assert watcher.look() == ["d-1"]
        sfn.executions["d-2"][1].append(entered(2, "Plan"))
        assert watcher.look() == []


def test_an_execution_that_moves_reaches_an_open_page() -> None:
    sfn, feed = StepFunctions(), Feed()
    stream = feed.subscribe()
    next(stream)
    with closing(feed), closing(Watcher(sfn, MACHINE, feed, poll=0.01)):
        sfn.add("d-1", "RUNNING", [event(1, "ExecutionStarted")])
        assert told_by(stream) == ("execution", {"name": "d-1"})


def test_the_watcher_survives_an_engine_that_goes_away() -> None:
    """It must not end, and not speak, when the engine is stopped before the page."""
    failing = SimpleNamespace(list_executions=_unavailable)
    feed = Feed()
    stream = feed.subscribe(heartbeat=0.05)
    next(stream)
    with closing(Watcher(failing, MACHINE, feed, poll=0.01)) as watcher:
        assert next(stream).startswith(":")
        assert watcher._thread.is_alive()
    assert not watcher._thread.is_alive()


def _unavailable(**_: Any) -> dict[str, Any]:
    raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "ListExecutions")
