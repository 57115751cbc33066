"""boto3 clients, one of each kind per execution environment, with timeouts that fit a step."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

from chatops.network.connections import renewing
from chatops.network.tls import sharing

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0


def client(service: str, *, region: str = "", role_arn: str = "", patience: float = 1.0) -> Any:
    """The client of `service`. `patience` scales its timeouts (the Slack edge has no more than a second); `role_arn` is
    assumed first, for targets in other accounts. Endpoints come from `AWS_ENDPOINT_URL…` as botocore reads them."""
    return made(service, region, role_arn, patience)


@lru_cache(maxsize=32)
def made(service: str, region: str, role_arn: str, patience: float) -> Any:
    """What `client` keeps, by all four: however it is asked for, one client is made once."""
    settings = Config(
        connect_timeout=CONNECT_SECONDS * patience,
        read_timeout=READ_SECONDS * patience,
        max_pool_connections=16,  # `sweep` asks so many things at once
        retries={"total_max_attempts": 3 if patience >= 1 else 1, "mode": "standard"},
    )
    extra: dict[str, Any] = {"region_name": region} if region else {}
    if role_arn:
        from chatops.network.assumed import session

        return renewing(sharing(session(role_arn, client("sts")).client(service, config=settings, **extra)))
    return renewing(sharing(boto3.client(service, config=settings, **extra)))


# What botocore itself tries again (a test compares), and what ECS says while another update of the service goes on.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_TRANSIENT = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServerException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
        "UpdateInProgressException",
    }
)

# Why DynamoDB cancelled a transaction, member by member, where a later try may go through.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
_TRANSIENT_REASONS = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


def error_code(error: Exception) -> str:
    """The service's error code of a botocore ClientError, or nothing."""
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
