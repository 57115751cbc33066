"""The two secrets of Secrets Manager: each value comes from its own, and each is read afresh by itself."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import InvalidConfiguration
from chatops.settings import secrets

HELD: dict[str, Any] = {
    "arn:slack": {"SLACK_SIGNING_SECRET": "signs", "SLACK_BOT_TOKEN": "xoxb-1"},
    "arn:github": {"GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_1", "GITHUB_APP_PRIVATE_KEY": ""},
}
NAMES = ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "GITHUB_PERSONAL_ACCESS_TOKEN", "GITHUB_APP_PRIVATE_KEY")


class Provider:
    """Secrets Manager as Powertools shows it: what it was asked, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.away = False

    def get(self, arn: str, *, max_age: int, transform: str, force_fetch: bool) -> Any:
        assert (max_age, transform) == (300, "json")
        self.asked.append((arn, force_fetch))
        if self.away:
            raise OSError("no answer")
        return HELD[arn]


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
    environment.setattr(secrets, "_provider", made)
    return made


def test_each_value_is_read_from_its_own_secret(provider: Provider) -> None:
    assert [secrets.optional(name) for name in NAMES] == ["signs", "xoxb-1", "ghp_1", ""]
    assert [arn for arn, _ in provider.asked] == ["arn:slack", "arn:slack", "arn:github", "arn:github"]
    secrets.read("SLACK_BOT_TOKEN", patience=1)
    assert provider.asked[-1] == ("arn:slack", False)


def test_a_refused_token_of_slacks_keeps_nobody_from_reading_githubs_afresh(provider: Provider) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "GITHUB_PERSONAL_ACCESS_TOKEN"):
        secrets.optional(name, fresh=True)
    assert provider.asked == [("arn:slack", True), ("arn:slack", False), ("arn:github", True)]


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
