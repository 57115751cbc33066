"""A GitHub App instead of a personal token, through the whole machine."""

from __future__ import annotations

import json

import pytest

from local import scenarios
from tests.app_key import APP_ID, private_key
from tests.statemachine import checks
from tests.statemachine.conftest import Build

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.mark.parametrize("name", ["happy", pytest.param("cancelled", marks=pytest.mark.slow)])
def test_a_scenario_ends_the_same_with_an_app(name: str, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dispatching, watching and cancelling need no more than the App's own token; neither it, nor the key, nor what
    the key signed turns up anywhere."""
    monkeypatch.setenv("GITHUB_APP_ID", APP_ID)
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", private_key())
    monkeypatch.delenv("GITHUB_PERSONAL_ACCESS_TOKEN")
    driver = build(scenarios.ALL[name])
    session = driver.session
    assert session.github.tokens == set()
    scenarios.ALL[name].play(driver)
    assert driver.end() == scenarios.ALL[name].ends
    checks.all_hold(session)

    given = session.github.apps.tokens
    assert 0 < len(given) <= 3, "one for each function that asks GitHub, not one for each request"
    told = "".join(path.read_text("utf-8") for path in session.runtime.log_dir.iterdir())
    told += json.dumps([[m.text, m.blocks] for m in session.slack.messages])
    told += json.dumps([session.history(e["executionArn"]) for e in session.executions()], default=str)
    told += json.dumps(checks.rows(session))
    for secret in (*given, *(line for line in private_key().splitlines() if len(line) > 40), "eyJ0eXAiOiJKV1Qi"):
        assert secret not in told
