"""The secrets: from the environment (local runs), else from the one Secrets Manager secret, cached by Powertools."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider

from chatops import aws
from chatops.domain.errors import InvalidConfiguration
from chatops.domain.reason import Reason
from chatops.settings import config

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

SLACK_SIGNING_SECRET = "SLACK_SIGNING_SECRET"  # noqa: S105 - a name, not a value
SLACK_BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 - a name, not a value
GITHUB_TOKEN = "GITHUB_PERSONAL_ACCESS_TOKEN"  # noqa: S105 - a name, not a value
GITHUB_APP_KEY = "GITHUB_APP_PRIVATE_KEY"

WHAT: dict[str, TextKey] = {
    SLACK_SIGNING_SECRET: "what_signing_secret",
    SLACK_BOT_TOKEN: "what_bot_token",
    GITHUB_TOKEN: "what_github_token",
    GITHUB_APP_KEY: "what_app_key",
}
"""What each secret should hold (keys of the catalogues), for those who read that it does not."""

_MAX_AGE = 300
_REFETCH_PAUSE = 15
_last_forced = 0.0


def _from_secrets_manager(*, fresh: bool, patience: float) -> dict[str, Any]:
    arn = config.text(os.environ, "CHATOPS_SECRET_ARN")  # alone: a request is verified even where a setting is wrong
    if not arn:
        return {}
    global _provider, _known  # noqa: PLW0603 - one cache per process
    if _provider is None:
        _provider = SecretsProvider(boto3_client=aws.client("secretsmanager", patience=patience))
    try:
        found = _provider.get(arn, max_age=_MAX_AGE, transform="json", force_fetch=fresh)
    except Exception:
        # what was known a moment ago is better than nothing while Secrets Manager does not answer
        if not _known:
            raise
        return _known
    _known = found if isinstance(found, dict) else {}
    return _known


_provider: Any = None
_known: dict[str, Any] = {}


def read(*, patience: float) -> None:
    """Ask Secrets Manager, before anybody needs to know. Raises what botocore raises."""
    _from_secrets_manager(fresh=False, patience=patience)


def optional(name: str, *, fresh: bool = False, patience: float = 1.0) -> str:
    """The secret's value or an empty text. `fresh` asks Secrets Manager again (after a 401), at most every 15 s, so
    that nobody can make us hammer it with bad requests."""
    if value := os.environ.get(name, "").strip():
        return value
    global _last_forced  # noqa: PLW0603 - a pause per process
    if fresh:
        now = time.monotonic()
        fresh = now - _last_forced >= _REFETCH_PAUSE or not _last_forced
        _last_forced = now if fresh else _last_forced
    return str(_from_secrets_manager(fresh=fresh, patience=patience).get(name) or "").strip()


def required(name: str, *, fresh: bool = False) -> str:
    """The secret's value. Raises InvalidConfiguration with the name, never a value."""
    value = optional(name, fresh=fresh)
    if not value:
        raise InvalidConfiguration("secret_not_set", name=name, what=Reason(WHAT[name]))
    return value
