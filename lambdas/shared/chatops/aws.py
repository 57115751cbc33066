"""Clients of AWS's services, one of each kind per execution environment, with timeouts that fit a step."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from chatops.network.aws_json import AGAIN, SERVICES, Client, NoAnswerError, Service, ServiceError
from chatops.network.kept import PROXIES
from chatops.network.signature import Credentials

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0


def client(service: str, *, region: str = "", role_arn: str = "", patience: float = 1.0) -> Any:
    """The client of `service`. `patience` scales its timeouts (the Slack edge has no more than a second); `role_arn` is
    assumed first, for targets in other accounts. Endpoints come from `AWS_ENDPOINT_URL…` as botocore reads them."""
    return made(service, region, role_arn, patience)


@lru_cache(maxsize=32)
def made(service: str, region: str, role_arn: str, patience: float) -> Any:
    """What `client` keeps, by all four: however it is asked for, one client is made once."""
    connect, read, attempts = CONNECT_SECONDS * patience, READ_SECONDS * patience, 3 if patience >= 1 else 1
    if service in SERVICES and not role_arn and (place := _place(SERVICES[service], region)):
        return Client(SERVICES[service], *place, connect, read, attempts)
    return _boto(service, region, role_arn, connect, read, attempts)


def _boto(service: str, region: str, role_arn: str, connect: float, read: float, attempts: int) -> Any:
    import boto3  # it takes longer than all else that a function starts with
    from botocore.config import Config

    from chatops.network.connections import renewing
    from chatops.network.tls import sharing

    settings = Config(
        connect_timeout=connect,
        read_timeout=read,
        max_pool_connections=16,  # `sweep` asks so many things at once
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    extra: dict[str, Any] = {"region_name": region} if region else {}
    if role_arn:
        from chatops.network.assumed import session

        return renewing(sharing(session(role_arn, client("sts")).client(service, config=settings, **extra)))
    return renewing(sharing(boto3.client(service, config=settings, **extra)))


_REGION = re.compile(r"(?!us-iso|eu-iso|eusc-)[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
"""Of the partitions whose addresses end with amazonaws.com or amazonaws.com.cn."""
_LEFT_TO_BOTO = (
    *("AWS_PROFILE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("AWS_ACCOUNT_ID", "AWS_AUTH_SCHEME_PREFERENCE"),
    *PROXIES,
)
"""Variables that change where or how botocore asks, in ways that are known to it alone."""


def _place(service: Service, region: str = "") -> tuple[str, str, Credentials] | None:
    """The address, the region and the credentials, as botocore reads them in a Lambda function: from variables, where
    no other `region` is asked for. None where they may come from elsewhere (a developer's machine), or where botocore
    would ask in another way."""
    env = os.environ
    if not env.get("AWS_LAMBDA_FUNCTION_NAME") or any(env.get(name) for name in _LEFT_TO_BOTO):
        return None
    region = region or env.get("AWS_DEFAULT_REGION", "")
    key, secret = (env.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    if not (_REGION.fullmatch(region) and key and secret):
        return None
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    usual = f"https://{service.name}.{region}.{suffix}"
    url = env.get(f"AWS_ENDPOINT_URL_{service.variable}") or env.get("AWS_ENDPOINT_URL") or usual
    parts = urlsplit(url)
    plain = re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", url)
    if not plain or parts.port in (80, 443):  # a Host without its usual port, a path, IPv6
        return None
    return url, region, Credentials(key, secret, env.get("AWS_SESSION_TOKEN", ""))


def failures(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What clients raise, and `more`, for `except`. botocore's are among them where it has been imported."""
    found = sys.modules.get("botocore.exceptions")
    return (*more, ServiceError, NoAnswerError, *((found.ClientError, found.BotoCoreError) if found else ()))


# What botocore itself tries again (a test compares), and what ECS says while another update of the service goes on.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_TRANSIENT = AGAIN | {
    "InternalFailure",
    "InternalServerError",
    "ServerException",
    "ServiceUnavailable",
    "TransactionConflictException",
    "UpdateInProgressException",
}

# Why DynamoDB cancelled a transaction, member by member, where a later try may go through.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
_TRANSIENT_REASONS = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


def error_code(error: Exception) -> str:
    """The service's error code, or nothing."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def is_transient(error: Exception) -> bool:
    """True when trying again may help: throttled, 5xx, or no answer at all."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return True
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if error_code(error) == "TransactionCanceledException":
        codes = {str(reason.get("Code")) for reason in response.get("CancellationReasons", [])} - {"None"}
        return bool(codes) and codes <= _TRANSIENT_REASONS
    return error_code(error) in _TRANSIENT or status == 429 or status >= 500
