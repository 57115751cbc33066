"""The secrets: from the environment (local runs), else from Secrets Manager secrets, Slack's, GitHub's and that of
GitHub's webhook, kept for five minutes. A function reads only what its policy in template.yaml allows."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import field
from typing import TYPE_CHECKING, Any

from chatops import aws
from chatops.domain.errors import InvalidConfiguration
from chatops.domain.reason import Reason
from chatops.settings import config
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

SLACK_SIGNING_SECRET = "SLACK_SIGNING_SECRET"  # noqa: S105 - a name, not a value
SLACK_BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 - a name, not a value
GITHUB_TOKEN = "GITHUB_PERSONAL_ACCESS_TOKEN"  # noqa: S105 - a name, not a value
GITHUB_APP_KEY = "GITHUB_APP_PRIVATE_KEY"
GITHUB_WEBHOOK_SECRET = "GITHUB_WEBHOOK_SECRET"  # noqa: S105 - a name, not a value

WHAT: dict[str, TextKey] = {
    SLACK_SIGNING_SECRET: "what_signing_secret",
    SLACK_BOT_TOKEN: "what_bot_token",
    GITHUB_TOKEN: "what_github_token",
    GITHUB_APP_KEY: "what_app_key",
}
"""What each secret should hold (keys of the catalogues), for those who read that it does not."""

SLACK, GITHUB = "CHATOPS_SLACK_SECRET_ARN", "CHATOPS_GITHUB_SECRET_ARN"
WEBHOOK = "CHATOPS_WEBHOOK_SECRET_ARN"
"""The variables that name the secrets of Secrets Manager; the last one's value is made with the stack."""
STORED_IN = {
    SLACK_SIGNING_SECRET: SLACK,
    SLACK_BOT_TOKEN: SLACK,
    GITHUB_TOKEN: GITHUB,
    GITHUB_APP_KEY: GITHUB,
    GITHUB_WEBHOOK_SECRET: WEBHOOK,
}

_MAX_AGE = 300
_REFETCH_PAUSE = 15


@dataclass
class _Stored:
    """What one of the two held when it was read last, when that was, and when it was last asked for out of turn (by
    both clocks: one may stand still while the function is frozen)."""

    values: dict[str, Any] = field(default_factory=dict)
    read_at: tuple[float, float] | None = None
    forced_at: tuple[float, float] | None = None

    def is_fresh(self) -> bool:
        return _age(self.read_at) < _MAX_AGE

    def may_be_forced(self) -> bool:
        """True at most every 15 s, and noted, so that nobody can make us hammer Secrets Manager with bad requests. What
        has been read that lately is not read again either."""
        if min(_age(self.read_at), _age(self.forced_at)) < _REFETCH_PAUSE:
            return False
        self.forced_at = _now()
        return True


def _now() -> tuple[float, float]:
    return time.time(), time.monotonic()


def _age(at: tuple[float, float] | None) -> float:
    """Seconds, by the clock that says more; a clock that was set back makes nothing young."""
    ages = [now - then for now, then in zip(_now(), at, strict=True)] if at else [math.inf]
    return max(ages) if min(ages) >= 0 else math.inf


_stored = {SLACK: _Stored(), GITHUB: _Stored(), WEBHOOK: _Stored()}


def _from_secrets_manager(variable: str, *, fresh: bool, patience: float) -> dict[str, Any]:
    arn = config.text(os.environ, variable)  # alone: a request is verified even where a setting is wrong
    if not arn:
        return {}
    stored = _stored[variable]
    if stored.is_fresh() and not fresh:
        return stored.values
    try:
        answer = aws.client("secretsmanager", patience=patience).get_secret_value(SecretId=arn)
        found = json.loads(answer["SecretString"])
    except Exception:
        # what was known a moment ago is better than nothing while Secrets Manager does not answer
        if not stored.values:
            raise
        return stored.values
    stored.values, stored.read_at = found if isinstance(found, dict) else {}, _now()
    return stored.values


def read(name: str, *, patience: float) -> None:
    """Ask Secrets Manager for what holds this secret, before anybody needs to know. Raises `aws.failures()`."""
    _from_secrets_manager(STORED_IN[name], fresh=False, patience=patience)


def optional(name: str, *, fresh: bool = False, patience: float = 1.0) -> str:
    """The secret's value or an empty text. `fresh` asks Secrets Manager again (after a 401), at most every 15 s."""
    if value := os.environ.get(name, "").strip():
        return value
    variable = STORED_IN[name]
    fresh = fresh and _stored[variable].may_be_forced()
    return str(_from_secrets_manager(variable, fresh=fresh, patience=patience).get(name) or "").strip()


def reset() -> None:
    """Forget what was read (tests run in one process what is many on AWS)."""
    _stored.update({variable: _Stored() for variable in _stored})


def required(name: str, *, fresh: bool = False) -> str:
    """The secret's value. Raises InvalidConfiguration with the name, never a value."""
    value = optional(name, fresh=fresh)
    if not value:
        raise InvalidConfiguration("secret_not_set", name=name, what=Reason(WHAT[name]))
    return value
