"""What people are told, through the whole flow: links that lead where the sentence says."""

from __future__ import annotations

import re

import pytest

from local import scenarios
from tests.statemachine.conftest import Build

pytestmark = pytest.mark.engine


@pytest.mark.slow
def test_a_failed_build_links_the_failed_jobs_log(build: Build) -> None:
    driver = build(scenarios.ALL["build-fails"])
    scenarios.ALL["build-fails"].play(driver)
    text = driver.card_of().text
    assert re.search(r"The build failed at \*Test\* \(<https://\S+/actions/runs/\d+/job/\d+\|run #\d+>\)", text), text


@pytest.mark.slow
def test_whoever_finds_a_target_busy_is_led_to_the_deployment_that_holds_it(build: Build) -> None:
    driver = build(scenarios.ALL["busy"])
    scenarios.ALL["busy"].play(driver)
    told = next(m.text for m in driver.session.slack.messages if "has been deploying" in m.text)
    held = re.search(r"<http\S+/#/(d-\w+)\|execution>.*`/platform-deploy cancel (d-\w+)`", told)
    assert held, told
    assert held[1] == held[2]
