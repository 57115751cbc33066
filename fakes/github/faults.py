"""Faults on demand: a rule names requests and says how GitHub fails them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

RATE_LIMIT_DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
SECONDARY_LIMIT = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass
class Fault:
    """One rule; the first that matches a request applies, `times` times (None: for ever).

    method: an HTTP method, or `*`. path: a regular expression searched in the request's path
    (`/repos/acme/checkout-api/dispatches`). status/headers/body: the answer; a str body is sent as HTML, None
    as GitHub's usual body for that status. lose_reply: the work is done, then the connection drops without an
    answer. work: the work is done, then `status` is answered all the same (a gateway's 502 after the fact).
    drop: the connection drops and nothing is done. seconds: simulated seconds of delay beforehand;
    with neither status nor a drop the request is merely slow. after: let that many matches pass first.
    """

    method: str = "*"
    path: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | str | None = None
    times: int | None = 1
    lose_reply: bool = False
    work: bool = False
    drop: bool = False
    seconds: float = 0
    after: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether this rule speaks of the request, whatever is left of its count."""
        return self.method in ("*", method) and re.search(self.path, path) is not None

    @classmethod
    def secondary_limit(
        cls,
        path: str = "",
        *,
        method: str = "*",
        status: int = 403,
        retry_after: int | None = 60,
        times: int | None = 1,
    ) -> Fault:
        """GitHub's secondary rate limit; without `retry_after` the header is missing, as it sometimes is."""
        body = {
            "message": SECONDARY_LIMIT,
            "documentation_url": f"{RATE_LIMIT_DOCS}#about-secondary-rate-limits",
            "status": str(status),
        }
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls(method, path, status, headers, body, times)

    @classmethod
    def primary_limit(
        cls, path: str = "", *, reset_at: float, method: str = "*", status: int = 403, times: int | None = 1
    ) -> Fault:
        """The hourly limit used up until the epoch second `reset_at`."""
        body = {
            "message": "API rate limit exceeded for user ID 583231.",
            "documentation_url": RATE_LIMIT_DOCS,
            "status": str(status),
        }
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-used": "5000", "x-ratelimit-reset": str(int(reset_at))}
        return cls(method, path, status, headers, body, times)


def take(faults: Iterable[Fault], method: str, path: str) -> Fault | None:
    """The rule for this request, counted down; None when nothing is wrong."""
    for fault in faults:
        if fault.times == 0 or not fault.matches(method, path):
            continue
        if fault.after > 0:
            fault.after -= 1
            continue
        if fault.times is not None:
            fault.times -= 1
        return fault
    return None
