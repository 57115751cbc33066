"""The edge in front of every endpoint: outages and faults, the token, the rate limit, ETags and headers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from fakes.faults import drop_connection
from fakes.github.errors import ApiError, error_body, usual_message
from fakes.github.faults import Fault, take
from fakes.github.grants import Grant
from fakes.github.oidc import PLACE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from fakes.github.github import GitHub

_BY_ID = re.compile(r"^/repositories/(\d+)(/.*)?$")
_REPOSITORY = re.compile(r"^/repos/([^/]+/[^/]+)(?:/|$)")
_AS_APP = re.compile(r"^/app/|^/repos/[^/]+/[^/]+/installation$")
API_VERSIONS = ("2022-11-28", "2026-03-10")
NO_USER_AGENT = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header\n"


class Gate:
    """A WSGI app around the endpoints; keeps the list of calls."""

    def __init__(self, github: GitHub, endpoints: WSGIApplication) -> None:
        self._github = github
        self._endpoints = endpoints

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, or drop its connection where a fault says so."""
        environ["PATH_INFO"] = path = self._canonical(str(environ.get("PATH_INFO") or "/"))
        request = Request(environ)
        fault = None if self._github.down else self._fault(request.method, path)
        if fault is not None and fault.seconds:
            self._github.clock.sleep(fault.seconds)
        if fault is not None and fault.drop:
            self._github.record(request.method, path, 0)
            drop_connection(environ)
        response = self._answer(request, fault)
        response.headers["x-github-request-id"] = f"CA7E:{len(self._github.calls):06X}:2F1B3C:31D0A2"
        self._github.record(request.method, path, response.status_code)
        if fault is not None and fault.lose_reply:
            drop_connection(environ)
        return response(environ, start_response)

    def _canonical(self, path: str) -> str:
        """GitHub's own Link headers name repositories by id; such addresses lead to the same endpoints."""
        if match := _BY_ID.match(path):
            for repository in self._github.repositories.values():
                if repository.id == int(match[1]):
                    return f"/repos/{repository.full_name}{match[2] or ''}"
        return path

    def _fault(self, method: str, path: str) -> Fault | None:
        with self._github.lock:
            return take(self._github.faults, method, path)

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        limit = self._github.rate_limit
        with self._github.lock:
            limit.look(self._github.clock.now())
            refusal = self._refusal(request, fault)
            if refusal is None and request.path != "/rate_limit" and not request.path.startswith(PLACE):
                limit.spend()
        response = refusal or self._carried_out(request)
        if refusal is None and fault is not None and fault.work and fault.status is not None:
            response = _faulty(fault, fault.status)
        if response.status_code == 204:
            del response.headers["Content-Type"]
        if request.path.startswith(PLACE):
            return response
        if refusal is None and request.method == "GET" and response.status_code == 200:
            response = self._conditional(request, response)
        for name, value in limit.headers().items():
            response.headers.setdefault(name, value)
        grant = request.environ.get("github.grant")
        if grant is not None:
            response.headers.update(_of_token(grant))
        if ahead := self._github.date_offset:
            response.headers["Date"] = http_date(self._github.clock.now() + ahead)
        response.headers["x-github-media-type"] = "github.v3; format=json"
        response.headers["x-github-api-version-selected"] = _version(request)
        return response

    def _carried_out(self, request: Request) -> Response:
        """What the endpoint answers; until then the request counts among those under way."""
        limits = self._github.secondary_limits
        with self._github.lock:
            limits.open += 1
        try:
            return Response.from_app(self._endpoints, request.environ, buffered=True)
        finally:
            with self._github.lock:
                limits.open -= 1

    def _refusal(self, request: Request, fault: Fault | None) -> Response | None:
        """What stops a request before it reaches an endpoint."""
        if self._github.down:
            return _plain(503, "No server is currently available to service your request.")
        if fault is not None and fault.status is not None and not fault.work:
            return _faulty(fault, fault.status)
        if request.path.startswith(PLACE):
            return None  # the issuer of tokens is another service: it has no rate, and looks at its callers itself
        if not request.headers.get("User-Agent"):
            return Response(NO_USER_AGENT, 403, content_type="text/html")
        if _version(request) not in API_VERSIONS:
            return _plain(400, f"{json.dumps(_version(request))} is not a supported version.")
        if refusal := self._moved(request) or self._stranger(request):
            return refusal
        if self._github.rate_limit.exhausted and request.path != "/rate_limit":
            limited = Fault.primary_limit(reset_at=self._github.rate_limit.body()["reset"])
            return _faulty(limited, 403)
        if not self._github.secondary_limits.takes(request.method, self._github.clock.now()):
            return _faulty(Fault.secondary_limit(), 403)
        return None

    def _moved(self, request: Request) -> Response | None:
        """A renamed repository's old name leads to its number, whatever the method.

        https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        asked = _REPOSITORY.match(request.path)
        for repository in self._github.repositories.values():
            if asked and asked[1] in repository.former_names:
                rest = request.path[len(f"/repos/{asked[1]}") :]
                url = f"{request.root_url.rstrip('/')}/repositories/{repository.id}{rest}"
                url += f"?{request.query_string.decode()}" if request.query_string else ""
                response = _plain(301 if request.method == "GET" else 307, "Moved Permanently")
                response.headers["Location"] = url
                return response
        return None

    def _stranger(self, request: Request) -> Response | None:
        """Who asks, an App or the holder of a token, and whether they see the repository at all."""
        token = _token(request)
        if token is None:
            return _plain(401, "Requires authentication")
        if _AS_APP.match(request.path):
            try:
                request.environ["github.app"] = self._github.apps.authenticate(token)
            except ApiError as error:
                return _plain(error.status, error.message)
            return None
        grant = self._github.grant_of(token)
        if grant is None:
            return _plain(401)
        request.environ["github.grant"] = grant
        repository = _REPOSITORY.match(request.path)
        return _plain(404) if repository and not self._sees(grant, repository[1]) else None

    def _sees(self, grant: Grant, name: str) -> bool:
        """A classic token without the scope `repo` sees public repositories only."""
        found = self._github.repositories.get(name)
        hidden = grant.scopes is not None and "repo" not in grant.scopes and (found is None or found.private)
        return grant.sees(name) and not hidden

    def _conditional(self, request: Request, response: Response) -> Response:
        """ETags are bound to the token; a 304 costs nothing.

        https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        """
        mark = hashlib.sha256((_token(request) or "").encode() + b"\0" + response.get_data()).hexdigest()
        unchanged = request.if_none_match.contains_weak(mark)
        if unchanged:
            with self._github.lock:
                if request.path != "/rate_limit":
                    self._github.rate_limit.refund()
            response = Response(status=304)
            del response.headers["Content-Type"]
        response.set_etag(mark, weak=True)
        response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        response.headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding"
        return response


def _of_token(grant: Grant) -> dict[str, str]:
    """What every answer says of the token that asked."""
    said = {} if grant.scopes is None else {"X-OAuth-Scopes": ", ".join(sorted(grant.scopes))}
    if grant.expires is not None:
        ends = datetime.fromtimestamp(grant.expires, UTC)
        said["github-authentication-token-expiration"] = ends.strftime("%Y-%m-%d %H:%M:%S UTC")
    return said


def _version(request: Request) -> str:
    return request.headers.get("X-GitHub-Api-Version") or API_VERSIONS[0]


def _token(request: Request) -> str | None:
    """The token of `Authorization: Bearer …` or `token …`; None when the header is absent."""
    header = request.headers.get("Authorization")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def _plain(status: int, message: str | None = None) -> Response:
    body = dict(error_body(status, message or usual_message(status)))
    if status == 503:
        body["code"] = "503"
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")


def _faulty(fault: Fault, status: int) -> Response:
    if isinstance(fault.body, str):
        response = Response(fault.body, status, content_type="text/html; charset=utf-8")
    elif fault.body is not None:
        response = Response(json.dumps(fault.body), status, content_type="application/json; charset=utf-8")
    else:
        response = _plain(status)
    response.headers.update(dict(fault.headers))
    return response
