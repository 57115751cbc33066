"""The two secrets of Secrets Manager: each value comes from its own, and each is read afresh by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops import aws
from chatops.domain.errors import InvalidConfiguration
from chatops.settings import secrets

HELD: dict[str, Any] = {
    "arn:slack": {"SLACK_SIGNING_SECRET": "signs", "SLACK_BOT_TOKEN": "xoxb-1"},
    "arn:github": {"GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_1", "GITHUB_APP_PRIVATE_KEY": ""},
}
NAMES = ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "GITHUB_PERSONAL_ACCESS_TOKEN", "GITHUB_APP_PRIVATE_KEY")


class Provider:
    """Secrets Manager: what it was asked, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 - boto3's name
        self.asked.append(SecretId)
        if self.away:
            raise OSError("no answer")
        return {"SecretString": json.dumps(HELD[SecretId])}


class Times:
    """The two clocks, standing still until they are moved."""

    def __init__(self) -> None:
        self._at = {"time": 1_760_000_000.0, "monotonic": 1000.0}

    def time(self) -> float:
        return self._at["time"]

    def monotonic(self) -> float:
        return self._at["monotonic"]

    def pass_by(self, seconds: float, clock: str = "both") -> None:
        for name in self._at:
            self._at[name] += seconds * (clock in (name, "both"))


@pytest.fixture
def times(environment: pytest.MonkeyPatch) -> Times:
    made = Times()
    environment.setattr(secrets, "time", made)
    return made


@pytest.fixture
def provider(environment: pytest.MonkeyPatch) -> Provider:
    """As on AWS: no secret is in the environment."""
    for name in NAMES:
        environment.delenv(name, raising=False)
    environment.setenv("CHATOPS_SLACK_SECRET_ARN", "arn:slack")
    environment.setenv("CHATOPS_GITHUB_SECRET_ARN", "arn:github")
    for variable in (secrets.SLACK, secrets.GITHUB):
        environment.setitem(secrets._stored, variable, secrets._Stored())
    made = Provider()
    environment.setattr(aws, "client", lambda *_, **__: made)
    return made


def test_each_value_is_read_from_its_own_secret(provider: Provider) -> None:
    assert [secrets.optional(name) for name in NAMES] == ["signs", "xoxb-1", "ghp_1", ""]
    secrets.read("SLACK_BOT_TOKEN", patience=1)
    assert provider.asked == ["arn:slack", "arn:github"]


@pytest.mark.parametrize("clock", ["time", "monotonic", "both"])
def test_a_secret_is_kept_for_five_minutes_also_where_a_clock_stood_still(
    provider: Provider, times: Times, clock: str
) -> None:
    secrets.optional("SLACK_BOT_TOKEN")
    times.pass_by(299, clock)
    secrets.optional("SLACK_BOT_TOKEN")
    assert provider.asked == ["arn:slack"]
    times.pass_by(1, clock)
    secrets.optional("SLACK_BOT_TOKEN")
    assert provider.asked == ["arn:slack"] * 2


def test_a_refused_token_is_read_afresh_at_most_every_fifteen_seconds(provider: Provider, times: Times) -> None:
    """What was read a moment ago is as fresh; and a refused token of Slack's keeps nobody from reading GitHub's."""
    secrets.optional("SLACK_BOT_TOKEN")
    secrets.optional("SLACK_BOT_TOKEN", fresh=True)
    assert provider.asked == ["arn:slack"]
    for _ in range(3):
        times.pass_by(15)
        for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "GITHUB_PERSONAL_ACCESS_TOKEN"):
            secrets.optional(name, fresh=True)
    assert provider.asked == ["arn:slack", *["arn:slack", "arn:github"] * 3]


def test_while_secrets_manager_is_away_it_is_asked_afresh_at_most_every_fifteen_seconds(
    provider: Provider, times: Times
) -> None:
    secrets.optional("SLACK_BOT_TOKEN")
    provider.away = True
    for _ in range(3):
        times.pass_by(7.5)
        secrets.optional("SLACK_BOT_TOKEN", fresh=True)
    assert provider.asked == ["arn:slack"] * 2


def test_a_clock_that_was_set_back_makes_no_secret_younger(provider: Provider, times: Times) -> None:
    secrets.optional("SLACK_BOT_TOKEN")
    times.pass_by(-3600, "time")
    secrets.optional("SLACK_BOT_TOKEN")
    assert provider.asked == ["arn:slack"] * 2


def test_what_was_known_stays_while_secrets_manager_is_away(provider: Provider) -> None:
    secrets.optional("SLACK_BOT_TOKEN")
    provider.away = True
    assert secrets.optional("SLACK_BOT_TOKEN") == "xoxb-1"
    with pytest.raises(OSError, match="no answer"):
        secrets.optional("GITHUB_PERSONAL_ACCESS_TOKEN")


def test_a_function_that_is_not_told_of_a_secret_asks_for_none(
    provider: Provider, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("CHATOPS_GITHUB_SECRET_ARN")
    with pytest.raises(InvalidConfiguration) as refused:
        secrets.required("GITHUB_PERSONAL_ACCESS_TOKEN")
    assert "GITHUB_PERSONAL_ACCESS_TOKEN" in str(refused.value)
    assert provider.asked == []
