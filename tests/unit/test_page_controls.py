"""The page's own controls: speed, scenarios, everything anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from local.page.server import Page
from tests.unit.page_session import Session


class Stage:
    def __init__(self) -> None:
        self.speed: float = 1
        self.restarted: list[str] = []

    def told(self) -> dict[str, Any]:
        return {"session": "w1", "speed": self.speed, "scenario": None, "scenarios": [{"name": "happy", "about": "x"}]}

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def restart(self, scenario: str = "") -> None:
        self.restarted.append(scenario)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def client(stage: Stage) -> Iterator[Any]:
    with closing(Page(Session(), stage=stage)) as page:
        yield page.app.test_client()


def test_the_speed_is_one_of_those_on_the_page(client: Any, stage: Stage) -> None:
    assert client.post("/api/speed", json={"speed": 10}).json["speed"] == 10
    for wrong in (0, -1, 1000, "10", None, True, [10]):
        assert client.post("/api/speed", json={"speed": wrong}).status_code == 400
    assert stage.speed == 10


def test_a_known_scenario_begins_everything_anew_once_the_answer_is_out(client: Any, stage: Stage) -> None:
    answer = client.post("/api/scenario", json={"name": "happy"})
    assert answer.json["session"] == "w1"
    assert stage.restarted == []
    answer.close()
    assert stage.restarted == ["happy"]


def test_an_unknown_scenario_is_refused_with_those_there_are(client: Any, stage: Stage) -> None:
    answer = client.post("/api/scenario", json={"name": "nope"})
    assert (answer.status_code, answer.json["error"]) == (400, "There is no scenario nope. There are happy.")
    answer.close()
    assert stage.restarted == []


def test_reset_begins_everything_anew(client: Any, stage: Stage) -> None:
    client.post("/api/reset", json={}).close()
    assert stage.restarted == [""]
    assert client.post("/api/reset", data="", content_type="text/plain").status_code == 415


def test_a_world_that_is_there_once_says_so() -> None:
    with closing(Page(Session())) as page:
        client = page.app.test_client()
        assert client.get("/api/stage").json["scenarios"] == []
        assert client.post("/api/speed", json={"speed": 10}).status_code == 409
        assert client.post("/api/scenario", json={"name": "happy"}).status_code == 400
