"""What boto3's clients raise: errors by their code, and no answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError


@cache
def _named(code: str) -> type[ClientError]:
    return type(code, (ClientError,), {})


class _Exceptions:
    """`client.exceptions`: a class for each code."""

    ClientError = ClientError

    def __getattr__(self, code: str) -> type[ClientError]:
        return _named(code)


EXCEPTIONS = _Exceptions()


def refused(code: str, operation: str, message: str = "", status: int = 400, **more: Any) -> ClientError:
    """The error that boto3 raises for an answer with this code."""
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return _named(code)(answer, operation)


def unanswered(name: str) -> ReadTimeoutError:
    """What botocore raises where a reply does not come."""
    return ReadTimeoutError(endpoint_url=f"https://{name}.invalid")
