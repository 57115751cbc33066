"""A dispatch that GitHub refuses: the message says which permission is missing and where to change it."""

from __future__ import annotations

import pytest

from fakes.github import Fault
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.mark.parametrize(("status", "told"), [(403, "Contents: write"), (404, "GITHUB_REPO"), (401, "401")])
def test_a_token_that_may_not_dispatch_is_named(build: Build, status: int, told: str) -> None:
    driver = build(scenario())
    driver.session.github.faults.append(Fault(method="POST", path="/dispatches$", status=status, times=9))
    assert driver.run("/platform-deploy", "v1.2.3") == "Build Failed"
    message = driver.card_of()
    assert told in message.text
    assert "still runs" in message.text
    assert '{"key"' not in str(message.blocks)
    checks.all_hold(driver.session)
