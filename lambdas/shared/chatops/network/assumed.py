"""An assumed role's credentials, made anew before they expire: a warm function outlives the hour that they are good
for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import boto3
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials

from chatops import clock

SECONDS = 3600
"""The most that a role which another role assumes may be assumed for.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining"""


def session(role_arn: str, sts: Any) -> boto3.Session:
    """A session whose clients act in that role. It is assumed at the first request, and again when a quarter of an
    hour is left (botocore's own margin)."""
    made = botocore.session.get_session()
    made.register_component("credential_provider", CredentialResolver([_Role(role_arn, sts)]))
    return boto3.Session(botocore_session=made)


def _now() -> datetime:
    return clock.at(clock.now())


class _Role(CredentialProvider):  # type: ignore[misc]  # botocore ships no types
    """The only place where that session looks for credentials."""

    METHOD = "assume-role"

    def __init__(self, role_arn: str, sts: Any) -> None:
        super().__init__()
        self._role_arn, self._sts = role_arn, sts

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._assume, self.METHOD, time_fetcher=_now)

    def _assume(self) -> dict[str, str]:
        found = self._sts.assume_role(
            RoleArn=self._role_arn, RoleSessionName="platform-deploy", DurationSeconds=SECONDS
        )["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }
