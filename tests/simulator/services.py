"""The external services' fakes, called in this process instead of over HTTP, each call through one place."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from email.message import Message as Headers
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from chatops.network import aws_json, kept
from fakes.aws_json import AwsError, JsonService
from fakes.github import GitHub, Script
from fakes.github.limits import SecondaryLimits
from fakes.github.runs import Runs
from tests.simulator.agenda import Agenda
from tests.simulator.errors import EXCEPTIONS, refused, unanswered

Through = Callable[[str, Callable[[], Any], Callable[[str], Exception]], Any]
"""`Lambdas.call`."""
VARIABLE = re.compile(r"[0-9a-f]{40}|\d{5,}|v\d+\.\d+\.\d+.*")


def aws_calls(through: Through) -> Callable[..., Any]:
    """For clients: `calls(name, work, about)`."""

    def call(name: str, work: Callable[[], Any], _: Any) -> Any:
        def trouble(what: str) -> Exception:
            if what == "lost":
                return unanswered(name.partition(".")[0].lower())
            code, status = ("ThrottlingException", 400) if what == "throttle" else ("InternalServerError", 500)
            return refused(code, name.partition(".")[2], status=status)

        return through(name, work, trouble)

    return call


# -- ECS and CodeDeploy


class AwsClient:
    """`chatops.network.aws_json.Client` of a fake: `describe_services(…)` is its operation DescribeServices."""

    exceptions = EXCEPTIONS

    def __init__(self, name: str, fake: JsonService, calls: Callable[..., Any]) -> None:
        self._name, self._fake, self._calls = name, fake, calls

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(part.capitalize() for part in method.split("_"))

        def call(**asked: Any) -> Any:
            return self._calls(f"{self._name}.{operation}", lambda: self._perform(operation, asked), asked)

        return call

    def _perform(self, operation: str, asked: Any) -> Any:
        try:
            return aws_json.read(self._fake.perform(operation, asked).encode())
        except AwsError as error:
            raise refused(error.code, operation, error.message, error.status) from None


# -- over HTTP


Answer = tuple[int, list[tuple[str, str]], bytes]


def wsgi(app: Callable[..., Iterable[bytes]], method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """What the application answers."""
    parts = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = str(value)
    found: list[Any] = []
    content = b"".join(app(environ, lambda status, given, *_: found.append((status, given))))
    status, given = found[-1]
    return int(status.partition(" ")[0]), given, content


def place(path: str) -> str:
    """The path without a repository's name, ids and shas."""
    parts = [part for part in path.split("/") if part]
    parts = parts[3:] if parts[:1] == ["repos"] else parts
    parts = parts[1:] if parts[:1] == ["api"] else parts[:1] if parts[:1] == ["response"] else parts
    return ".".join(VARIABLE.sub("*", part) for part in parts)


_ANSWERS: dict[tuple[str, str, str], Answer] = {}
"""GitHub's answers about commits, tags and files: every play begins with the same repositories at the same time."""


def github_request(
    github: Callable[[], GitHub], through: Through, remember: Callable[[], bool]
) -> Callable[..., requests.Response]:
    """For requests.Session.request. `remember`: answers about commits, tags and files are kept from play to play, and
    counted in no limit."""

    def answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> requests.Response:
        known = (method, url, headers.get("If-None-Match", ""))
        still = remember() and method == "GET" and "/actions/runs" not in url
        found = _ANSWERS.get(known) if still else None
        if found is None:
            found = wsgi(github().mount, method, url, headers, body)
            if still:
                _ANSWERS[known] = found
        made = requests.Response()
        made.status_code, made._content, made.url = found[0], found[2], url
        made.headers = CaseInsensitiveDict(found[1])
        return made

    def request(_: requests.Session, method: str, url: str, **asked: Any) -> requests.Response:
        body = b"" if asked.get("json") is None else json.dumps(asked["json"]).encode()
        full = f"{url}?{urlencode(asked['params'])}" if asked.get("params") else url
        name = f"GitHub.{method}.{place(urlsplit(url).path)}"

        def failed(what: str) -> Exception:
            return _Instead(requests.ReadTimeout() if what == "lost" else _faulty(what))

        try:
            found = through(name, lambda: answer(method, full, asked["headers"], body), failed)
        except _Instead as instead:
            if isinstance(instead.what, requests.Response):
                return instead.what
            raise instead.what from None
        assert isinstance(found, requests.Response)
        return found

    return request


def issuer_read(github: Callable[[], GitHub], through: Through) -> Callable[[str], bytes]:
    """For chatops.github.oidc.read: the issuer of the tokens of GitHub's jobs."""
    from chatops.github.oidc import KeysUnavailable

    def read(url: str) -> bytes:
        what = url.rpartition("/")[2]
        name = f"GitHub.GET.{what}"
        found = through(name, lambda: wsgi(github().mount, "GET", url, {}, b"")[2], KeysUnavailable)
        assert isinstance(found, bytes)
        return found

    return read


class _Instead(Exception):
    def __init__(self, what: Exception | requests.Response) -> None:
        super().__init__()
        self.what = what


def _faulty(what: str) -> requests.Response:
    made = requests.Response()
    made.status_code = 429 if what == "throttle" else 502
    made._content = b'{"message": "a fault of the plan"}'
    made.headers = CaseInsensitiveDict({"Retry-After": "5"} if what == "throttle" else {})
    return made


class _Reply(io.BytesIO):
    """What urlopen returns."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__(body)
        self.status = self.code = status
        self.headers = headers


def slack_open(slack: Any, through: Through) -> Callable[..., _Reply]:
    """For urlopen, as slack_sdk calls it."""

    def answer(request: Any) -> _Reply:
        headers = {**request.headers, **request.unredirected_hdrs}
        return _replied(request.full_url, *wsgi(slack().app, "POST", request.full_url, headers, request.data or b""))

    def trouble(url: str, what: str) -> Exception:
        if what == "lost":
            return TimeoutError()
        headers = Headers()
        if what == "throttle":
            headers["Retry-After"] = "5"
        return HTTPError(url, 429 if what == "throttle" else 500, what, headers, io.BytesIO(b"{}"))

    def urlopen(request: Any, **_: Any) -> _Reply:
        name = f"Slack.{place(urlsplit(request.full_url).path)}"
        reply = through(name, lambda: answer(request), lambda what: trouble(request.full_url, what))
        assert isinstance(reply, _Reply)
        return reply

    return urlopen


def slack_post(slack: Any, through: Through) -> Callable[..., kept.Answer]:
    """For `Kept.post`, by which response URLs are used."""

    def post(self: kept.Kept, path: str, headers: Mapping[str, str], body: bytes) -> kept.Answer:
        def trouble(what: str) -> Exception:
            return TimeoutError(what)

        url = f"{self.url}{path}"
        found: Answer = through(f"Slack.{place(path)}", lambda: wsgi(slack().app, "POST", url, headers, body), trouble)
        return kept.Answer(found[0], dict(found[1]), found[2])

    return post


def _replied(url: str, status: int, given: list[tuple[str, str]], body: bytes) -> _Reply:
    headers = Headers()
    for name, value in given:
        headers[name] = value
    if status >= 400:
        raise HTTPError(url, status, "", headers, io.BytesIO(body))
    return _Reply(status, headers, body)


# -- GitHub's runs, in virtual time


class SimulatedGitHub(GitHub):
    """The fake, whose runs wait in virtual time. Made once; `begin` forgets everything."""

    def begin(self, agenda: Agenda) -> None:
        self.clock = agenda  # type: ignore[assignment]  # as much of a clock as a run needs
        self.repositories = {}
        self.script, self.deployers, self.calls = {}, {}, []
        self._registry, self._closing = Runs(), threading.Event()
        self.rate_limit.used, self.secondary_limits = 0, SecondaryLimits()

    def _appear(self, repository: Any, workflow: Any, event: Any, script: Script) -> None:
        def appear() -> None:
            run = self._registry.dispatched(repository, workflow, event, script, self.clock.now())
            self._start(lambda: self._carry_out(run))

        self.clock.later(script.appear_seconds, appear)  # type: ignore[attr-defined]  # see `begin`

    def _start(self, work: Callable[[], None]) -> None:
        self.clock.start(work)  # type: ignore[attr-defined]  # see `begin`

    def cancel(self, run_id: int) -> None:
        super().cancel(run_id)
        self.clock.wake()  # type: ignore[attr-defined]  # see `begin`

    def force_cancel(self, run_id: int) -> None:
        super().force_cancel(run_id)
        self.clock.wake()  # type: ignore[attr-defined]  # see `begin`

    def end(self) -> None:
        """Every run ends where it stands."""
        self._closing.set()
        self.clock.close()
