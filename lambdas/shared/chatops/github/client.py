"""The one place that talks to GitHub's REST API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from chatops import clock
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.github_budget import Need
from chatops.github import replies
from chatops.github.budget import SharedBudget
from chatops.network import tls
from chatops.network.connections import Renewal
from chatops.settings import secrets
from chatops.settings.config import settings
from chatops.store.table import table
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.github.app import AppTokens

TIMEOUT = (3.05, 8.0)  # seconds to connect, and between two bytes
PAGES = 10
_UNAUTHORISED = 401


@dataclass(frozen=True)
class Reply:
    """A reply that GitHub meant: 2xx, or 304 to a conditional request (then `body` is None)."""

    status: int
    body: Any
    etag: str
    next_page: str


class GitHub:
    """A repository on GitHub.

    Errors: GitHubUnavailable (no answer, 5xx), GitHubRateLimited (asked to wait), GitHubRefused (everything else),
    as https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api has them.
    `token(fresh)` gives the token, another one where `fresh`; `app` says that it is a GitHub App's, for the errors.
    `budget`: what is known of the rate limit; without it only GitHub says when to wait.
    """

    def __init__(
        self,
        repository: str,
        base: str,
        token: Callable[[bool], str],
        session: requests.Session | None = None,
        *,
        app: bool = False,
        budget: SharedBudget | None = None,
    ) -> None:
        self.repository, self._base, self._token, self._app = repository, base, token, app
        self._budget = budget
        self._session = session or requests.Session()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        etag: str = "",
        follow: bool = True,
    ) -> Reply:
        """One request below `/repos/{owner}/{repo}`; a 401 is tried once more with a fresh token. `follow`: whether a
        GET goes where GitHub redirects it."""
        url = path if path.startswith("http") else f"{self._base}/repos/{self.repository}{path}"
        follow = follow and method == "GET"
        if self._budget:
            self._budget.admit()
        answer = self._send(method, url, params, json, etag, fresh=False, follow=follow)
        if answer.status_code == _UNAUTHORISED:
            answer = self._send(method, url, params, json, etag, fresh=True, follow=follow)
        asked = f"{method} {_path(url)}"
        if answer.status_code >= requests.codes.server_error:
            raise GitHubUnavailable("github_answered", status=answer.status_code, request=asked)
        unchanged = answer.status_code == requests.codes.not_modified
        if unchanged and not etag:
            raise GitHubUnavailable("github_answered_304", request=asked)
        body = _body(answer)
        said = replies.said(body)
        if self._budget:
            self._budget.note(answer.status_code, answer.headers, said)
        elif pause := replies.pause(answer.status_code, answer.headers, clock.now(), said):
            raise GitHubRateLimited(pause)
        if answer.status_code >= requests.codes.multiple_choices and not unchanged:
            # a redirect of a GET was followed; an event is not sent to another address than the configured one
            raise GitHubRefused(answer.status_code, self.repository, said, app=self._app)
        if body is None and method == "GET" and not unchanged:
            raise GitHubUnavailable("github_without_body", status=answer.status_code, request=asked)
        return Reply(
            answer.status_code,
            body,
            answer.headers.get("ETag", ""),
            answer.links.get("next", {}).get("url", ""),
        )

    def _send(
        self, method: str, url: str, params: Any, json: Any, etag: str, *, fresh: bool, follow: bool
    ) -> requests.Response:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Authorization": f"Bearer {self._token(fresh)}",
            "User-Agent": "platform-deploy",
        }
        if etag:
            headers["If-None-Match"] = etag
        try:
            return self._session.request(
                method,
                url,
                params=params,
                json=json,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=follow,
            )
        except requests.RequestException as error:
            # the text of requests' errors may hold the URL's query, never a header
            asked = f"{method} {_path(url)}"
            raise GitHubUnavailable("github_silent", request=asked, error=type(error).__name__) from None

    def give_way(self, share: float | None = None) -> None:
        """Raises GitHubRateLimited where a pause has just ended and others go first: see `SharedBudget.give_way`."""
        if self._budget:
            self._budget.give_way(share)

    def get(self, path: str, **params: Any) -> Any:
        """The body of a GET."""
        return self.request("GET", path, params=params).body

    def find(self, path: str, **params: Any) -> Any:
        """The body of a GET, or None where GitHub knows no such thing (404; 422 for an impossible ref)."""
        try:
            return self.get(path, **params)
        except GitHubRefused as error:
            if error.status in (404, 409, 422):
                return None
            raise

    def find_post(self, path: str) -> None:
        """A POST whose conflict (409) means that it is not needed any more."""
        try:
            self.request("POST", path)
        except GitHubRefused as error:
            if error.status != requests.codes.conflict:
                raise

    def pages(self, path: str, key: str = "", **params: Any) -> Iterator[Any]:
        """The members of a paged list, at most ten pages of a hundred."""
        url, query = path, {"per_page": 100, **params}
        for _ in range(PAGES):
            reply = self.request("GET", url, params=query)
            yield from (reply.body[key] if key else reply.body)
            if not reply.next_page:
                return
            if urlsplit(reply.next_page)[:2] != urlsplit(self._base)[:2]:
                raise GitHubUnavailable("github_page_elsewhere")
            url, query = reply.next_page, {}


def _path(url: str) -> str:
    return "/" + url.split("://", 1)[-1].partition("/")[2].partition("?")[0]


def _body(answer: requests.Response) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        if answer.status_code < requests.codes.multiple_choices:
            raise GitHubUnavailable("github_no_json") from None
        return None


class _Adapter(HTTPAdapter):
    """Connections are kept, and renewed before a request that might be lost on an old one."""

    def __init__(self) -> None:
        super().__init__()
        self._renewal = Renewal(self.close)

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, **more, ssl_context=tls.web())

    def send(self, *given: Any, **more: Any) -> requests.Response:
        self._renewal.before_request()
        try:
            return super().send(*given, **more)
        except requests.exceptions.SSLError as error:
            if not tls.unverified(error):
                raise
            return super().send(*given, **more)


@cache
def _session() -> requests.Session:
    made = requests.Session()
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter())
    return made


@cache
def _app_tokens(app_id: str, base: str, *, showing: bool) -> AppTokens:
    """Tokens are kept as long: making one costs two requests. `showing`: those for GitHub Deployments."""
    # cryptography takes a tenth of a second to import, and an installation with a personal token never comes here
    from chatops.github.app import PERMISSIONS, SHOWING, AppTokens

    def key(fresh: bool) -> str:
        return secrets.required(secrets.GITHUB_APP_KEY, fresh=fresh)

    return AppTokens(app_id, base, key, _session(), SHOWING if showing else PERMISSIONS)


def github(repository: str, need: Need = Need.NOW) -> GitHub:
    """The client of this stack for a repository (`owner/name`): as the GitHub App where one is configured, else with
    the personal token. `need`: what its requests are for.

    An App's limit is its installation's, one for each owner; a token's is its own here.
    """
    base, app_id, rows = settings().github_api_url, settings().github_app_id, table()
    if app_id:
        tokens = _app_tokens(app_id, base, showing=need is Need.SHOW)
        owner = repository.partition("/")[0].lower()
        budget = SharedBudget(rows, lambda: f"{app_id}#{owner}", need)
        return GitHub(
            repository, base, lambda fresh: tokens.token(repository, fresh), _session(), app=True, budget=budget
        )
    budget = SharedBudget(rows, _mark, need)
    return GitHub(repository, base, _token, _session(), budget=budget)


def _token(fresh: bool) -> str:
    return secrets.required(secrets.GITHUB_TOKEN, fresh=fresh)


def _mark() -> str:
    """Identifies the token."""
    return hashlib.sha256(_token(False).encode()).hexdigest()[:16]


def quoted(ref: str) -> str:
    """A ref as a path segment; slashes stay, as GitHub wants them in `/commits/{ref}` and `/git/ref/tags/{tag}`."""
    return quote(ref, safe="/")
