"""Every answer that GitHub may give, to every request that the product makes: what is raised says what to do about it,
a pause is obeyed, and no token is told or sent elsewhere."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter

from chatops import clock
from chatops.domain.errors import ChatOpsError, Final, GitHubRateLimited, GitHubRefused, GitHubUnavailable, Retryable
from chatops.github.app import AppTokens
from chatops.github.client import GitHub
from tests.app_key import APP_ID, private_key
from tests.contract.github_calls import CALLS, Call, place
from tests.unit.conftest import environment

__all__ = ["environment"]

BASE, NOW = "https://api.github.test", 1_760_000_000.0
TOKEN = "ghp_canaryG1tHubT0ken"


@dataclass(frozen=True)
class Answer:
    """One answer; `body` None: what the call expects. `outcome`: what it becomes for a call."""

    status: int
    outcome: Callable[[Call], type[ChatOpsError] | None]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    error: Exception | None = None
    wait: int = 0


def always(kind: type[ChatOpsError] | None) -> Callable[[Call], type[ChatOpsError] | None]:
    return lambda _: kind


def unless_an_answer(status: int, otherwise: type[ChatOpsError]) -> Callable[[Call], type[ChatOpsError] | None]:
    return lambda call: None if status in call.absent else otherwise


def where_asked(call: Call) -> type[ChatOpsError] | None:
    """Nothing is enough for whoever asked nothing."""
    return GitHubUnavailable if call.asks else None


NO = json.dumps({"message": "No way.", "status": "4xx"}).encode()
LIMITED = json.dumps({"message": "You have exceeded a secondary rate limit."}).encode()
USED_UP = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 300)}
DOWN, LIMIT = always(GitHubUnavailable), always(GitHubRateLimited)

ANSWERS: dict[str, Answer] = {
    "200": Answer(200, always(None)),
    "201": Answer(201, always(None)),
    "204": Answer(204, where_asked, body=b""),
    "300": Answer(300, unless_an_answer(300, GitHubRefused), body=NO),
    "301": Answer(301, unless_an_answer(301, GitHubRefused), body=b"<html>moved</html>"),
    "304": Answer(304, unless_an_answer(304, GitHubUnavailable), body=b""),
    **{
        str(s): Answer(s, unless_an_answer(s, GitHubRefused), body=NO)
        for s in (400, 401, 403, 404, 409, 410, 418, 422, 451)
    },
    "403, HTML": Answer(403, unless_an_answer(403, GitHubRefused), body=b"<html>proxy</html>"),
    "403 Retry-After": Answer(403, LIMIT, {"Retry-After": "77"}, NO, wait=77),
    "403 used up": Answer(403, LIMIT, USED_UP, NO, wait=301),
    "403 secondary": Answer(403, LIMIT, {}, LIMITED, wait=60),
    "429": Answer(429, LIMIT, {}, NO, wait=60),
    "429 Retry-After": Answer(429, LIMIT, {"Retry-After": "77"}, b"", wait=77),
    "429 used up": Answer(429, LIMIT, USED_UP, b"<html>", wait=301),
    **{str(s): Answer(s, DOWN, body=b"<html>oops</html>") for s in (500, 502, 503, 504)},
    "200, HTML": Answer(200, DOWN, body=b"<html>maintenance</html>"),
    "200, half": Answer(200, DOWN, body=b'{"id": 1, "na'),
    "200, null": Answer(200, where_asked, body=b"null"),
    "reset": Answer(0, DOWN, error=requests.ConnectionError("reset")),
    "timeout": Answer(0, DOWN, error=requests.ReadTimeout("slow")),
    "connect": Answer(0, DOWN, error=requests.ConnectTimeout("slow")),
    "TLS": Answer(0, DOWN, error=requests.exceptions.SSLError("bad")),
}


class Fake(BaseAdapter):
    """Answers one place as the test wants, all others well. `asked`: the requests to that place."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call, self.asked, self.sent = call, list[requests.PreparedRequest](), list[requests.PreparedRequest]()
        self.answer: Callable[[requests.PreparedRequest], requests.Response] = self.well

    def send(self, request: requests.PreparedRequest, **_how: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append(request)
        if urlsplit(str(request.url)).netloc != urlsplit(BASE).netloc:
            return made(request, 404, NO)
        if self._here(request):
            self.asked.append(request)
            return self.answer(request)
        return self.well(request)

    def _here(self, request: requests.PreparedRequest) -> bool:
        described = place(str(request.method), urlsplit(str(request.url)).path)
        return (request.method, described) == (self.call.method, self.call.described)

    def well(self, request: requests.PreparedRequest, status: int = 0) -> requests.Response:
        described = place(str(request.method), urlsplit(str(request.url)).path)
        here = self._here(request)
        good = self.call.good if here else self.call.others[described]
        if isinstance(good, int):
            return made(request, good, NO)
        body = b"" if good is None else json.dumps(good).encode()
        return made(request, status or (self.call.status if here else 200), body)

    def gives(self, answer: Answer) -> None:
        def give(request: requests.PreparedRequest) -> requests.Response:
            if answer.error is not None:
                raise answer.error
            if answer.body is None:
                return self.well(request, answer.status)
            return made(request, answer.status, answer.body, answer.headers)

        self.answer = give

    def close(self) -> None:
        """Nothing is held open."""


def made(
    request: requests.PreparedRequest, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, str(request.url), request
    response.headers.update(headers or {})
    response.raw = io.BytesIO(body)
    return response


def github(fake: BaseAdapter, call: Call) -> GitHub:
    session = requests.Session()
    session.mount("https://", fake)
    if not call.app:
        return GitHub("acme/checkout-api", BASE, lambda _: TOKEN, session)
    tokens = AppTokens(APP_ID, BASE, lambda _: private_key(), session)
    return GitHub("acme/checkout-api", BASE, lambda fresh: tokens.token("acme/checkout-api", fresh), session, app=True)


@pytest.fixture(autouse=True)
def _standing(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(clock, "now", lambda: NOW)


def raised(call: Call, fake: Fake) -> Exception | None:
    try:
        call.make(github(fake, call))
    except Exception as error:  # noqa: BLE001 - that it is one of ours is what is looked at
        return error
    return None


def tells_no_secret(error: Exception, fake: Fake) -> None:
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
    for request in fake.sent:
        secret = request.headers["Authorization"].removeprefix("Bearer ")
        assert len(secret) > 15
        assert secret not in told


@pytest.mark.parametrize("name", CALLS)
def test_what_an_answer_becomes(name: str) -> None:
    """Each of the answers."""
    call = CALLS[name]
    for answered, answer in ANSWERS.items():
        fake = Fake(call)
        fake.gives(answer)
        error, expected = raised(call, fake), answer.outcome(call) if call.raises else None
        assert type(error) is (expected or type(None)), f"{answered}: {error!r}"
        times = 2 if answer.status == 401 else 1
        assert len(fake.asked) == times, f"{answered}: a request is repeated by the state machine alone"
        if error is None:
            continue
        tells_no_secret(error, fake)
        branch = {GitHubUnavailable: Retryable, GitHubRefused: Final}.get(type(error), GitHubRateLimited)
        assert isinstance(error, branch), answered
        if isinstance(error, GitHubRateLimited):
            assert error.wait_seconds == answer.wait, answered


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_elsewhere_takes_no_token_along_and_no_event(status: int) -> None:
    for name in CALLS:
        redirected(name, status)


def redirected(name: str, status: int) -> None:
    call = CALLS[name]
    fake = Fake(call)
    fake.answer = lambda request: made(request, status, NO, {"Location": "https://elsewhere.test/repos/acme/checkout"})
    error = raised(call, fake)
    gone = [r for r in fake.sent if "elsewhere" in str(r.url)]
    assert all("Authorization" not in r.headers for r in gone), name
    assert [r.method for r in gone] == (["GET"] if call.method == "GET" and name != "installation" else []), name
    assert isinstance(error, GitHubRefused) or 404 in call.absent or not call.raises, name
    if call.method == "POST":
        assert isinstance(error, GitHubRefused), name


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.test/page2", "http://api.github.test/page2"])
def test_a_next_page_elsewhere_is_not_asked_for(elsewhere: str) -> None:
    call = CALLS["search for a run"]
    fake = Fake(call)
    link = {"Link": f'<{elsewhere}>; rel="next"'}
    fake.answer = lambda request: made(request, 200, b'{"workflow_runs": []}', link)
    assert isinstance(raised(call, fake), GitHubUnavailable)
    assert len(fake.sent) == 1
