"""What came of one call of a function, and the shapes of Lambda's own errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Request and response of a synchronous call; events of an asynchronous one.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD = 6_291_556
MAX_ASYNC_PAYLOAD = 1_048_576


@dataclass(frozen=True)
class Invocation:
    """`payload` is what the function returned, or the error object; `error` is its errorType, None on
    success. `calls`: the names of the calls that it made, where somebody watches and it lived to tell.
    """

    payload: Any
    error: str | None = None
    log: str = ""
    cold: bool = False
    request_id: str = ""
    calls: tuple[str, ...] = ()


def failed(kind: str, message: str, request_id: str, **more: Any) -> dict[str, Any]:
    """The body that Lambda answers with when a function fails."""
    return {"errorType": kind, "errorMessage": message, "requestId": request_id, **more}


@dataclass
class ServiceFault(Exception):
    """Lambda itself refuses or breaks (429 TooManyRequestsException, 500 ServiceException), the function is
    not run.
    """

    status: int
    code: str
    message: str = "simulated by the local run"

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
