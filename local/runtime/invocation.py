"""What came of one call of a function, and the shapes of Lambda's own errors."""

from __future__ import annotations

import signal
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


_SIGNALS: dict[int, str] = {
    signal.SIGILL: "illegal instruction",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
}


def exited(status: int) -> tuple[str, str]:
    """The error's name and Lambda's text for a runtime process that ended instead of answering. `status`: what it
    exited with, or minus the signal that ended it.

    Nobody but the kernel kills it (a timeout is found out by the clock), and the kernel does it for memory.
    https://github.com/aws/aws-lambda-runtime-interface-emulator names both errors.
    """
    if status == -signal.SIGKILL:
        return "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"
    if not status:
        return "Runtime.ExitError", "Runtime exited without providing a reason"
    how = f"exit status {status}" if status > 0 else f"signal: {_SIGNALS.get(-status, -status)}"
    return "Runtime.ExitError", f"Runtime exited with error: {how}"


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
