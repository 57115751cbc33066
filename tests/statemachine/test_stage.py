"""`make run`'s stage: one session after another at one address, and scenarios that play themselves."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from chatops.settings.targets_file import load
from local.session import ROOT, Session
from local.stage import Stage

pytestmark = [pytest.mark.engine, pytest.mark.slow]

TARGETS = load(ROOT / "local" / "targets.yaml", {"GITHUB_ID": "acme", "GITHUB_REPO": "checkout-api"})


class Running:
    """A stage in a thread of its own; `sessions` are those there have been."""

    def __init__(self, speed: float) -> None:
        self.sessions: list[Session] = []
        self._came = threading.Condition()
        self.stage = Stage({"port": 0}, TARGETS, self._each, {}, speed)
        self.thread = threading.Thread(target=self.stage.run)
        self.thread.start()

    def _each(self, made: Session) -> None:
        with self._came:
            self.sessions.append(made)
            self._came.notify_all()

    def session(self, number: int) -> Session:
        with self._came:
            assert self._came.wait_for(lambda: len(self.sessions) >= number, 90)
        return self.sessions[number - 1]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.sessions[-1].url}/api/{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> None:
        asked = urllib.request.Request(
            f"{self.sessions[-1].url}/api/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(asked, timeout=10).close()


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(speed=10)
    yield made
    made.stage.stop()
    made.thread.join(60)
    assert not made.thread.is_alive()


def test_whoever_comes_while_it_starts_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from within: the web server listens already, and the rest is being made."""
    answers: list[tuple[int, str]] = []
    create = Session._create_table

    def look(self: Session) -> None:
        for path in ("/", "/prod/slack/events"):
            try:
                urllib.request.urlopen(f"{self.url}{path}", timeout=10).close()
            except urllib.error.HTTPError as error:
                answers.append((error.code, error.headers["Retry-After"]))
        create(self)

    monkeypatch.setattr(Session, "_create_table", look)
    made = Running(speed=10)
    made.session(1)
    made.stage.stop()
    made.thread.join(60)
    assert answers == [(503, "1"), (503, "1")]


def test_reset_leaves_nothing_and_the_address_stays(running: Running) -> None:
    first = running.session(1)
    first.start({"command": "status"}, "d-abcdefghijkm")
    assert len(running.get("executions")["executions"]) == 1
    before = running.get("stage")["session"]
    running.post("reset", {})
    second = running.session(2)
    assert second.url == first.url
    assert running.get("stage")["session"] != before
    assert running.get("executions")["executions"] == []
    assert running.get("messages")["messages"] == []


def test_a_scenario_plays_itself_and_says_how_it_went(running: Running) -> None:
    running.session(1)
    running.post("scenario", {"name": "no-approval"})
    made = running.session(2)
    assert made.clock.speed == 10
    page = running.stage._page
    assert page is not None
    ended = threading.Event()

    def listen() -> None:
        for text in page.feed.subscribe(0.2):
            if "event: stage" in text or running.get("stage")["scenario"]["state"] != "playing":
                ended.set()
                return

    threading.Thread(target=listen, daemon=True).start()
    assert ended.wait(120)
    told = running.get("stage")["scenario"]
    assert (told["name"], told["state"], told["note"]) == ("no-approval", "played", "Deployed")


def test_the_speed_changes_while_an_execution_runs(running: Running) -> None:
    made = running.session(1)
    running.post("speed", {"speed": 1})
    assert (made.clock.speed, made._embedded.wait_time_scale) == (1, 1)
    running.post("speed", {"speed": 10})
    assert (made.clock.speed, made._embedded.wait_time_scale) == (10, 0.1)
