"""All that is asked of others, and nothing of it writes.

GitHub: GETs. (As a GitHub App also one POST, for a token of its own that may only read: without one an App sees
nothing.) Slack: the methods in `SLACK`, by slack_sdk. The stack's own address: requests that it must refuse, or that
echo. AWS: what is called Describe, Get or List, and AssumeRole where a target names a role.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
from certifi import where
from requests.structures import CaseInsensitiveDict
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from chatops.slack.client import is_answer
from doctor.result import NoAnswer

TIMEOUT = (5.0, 10.0)
MOST_BYTES = 4 * 1024 * 1024
_AWS_READS = re.compile(r"(Describe|Get|List)[A-Z]\w*|AssumeRole")
_APP_TOKEN = re.compile(r"/app/installations/\d+/access_tokens")


class NotARead(RuntimeError):
    """Somebody was about to ask for more than a look: a mistake in this program."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Header names in any case; `body` at most four megabytes of it; `date`: its Date header."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    moved: bool = False

    @cached_property
    def json(self) -> Any:
        """The body, or None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def said(self) -> str:
        """The error's own words, at most 200 characters."""
        found = self.json
        return str(found.get("message") or found.get("error") or "")[:200] if isinstance(found, dict) else ""


@dataclass
class Web:
    """HTTP, as far as this program may use it. `calls` is everything that was asked: (method, address)."""

    session: requests.Session = field(default_factory=requests.Session)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str] | None = None, **params: Any) -> Answer:
        """A GET. Raises NoAnswer."""
        return self._send("GET", url, dict(headers or {}), params=params)

    def app_token(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """A GitHub App's own token, which may only read. Raises NoAnswer."""
        if not _APP_TOKEN.search(url) or set(body["permissions"].values()) != {"read"}:
            raise NotARead(url)
        return self._send("POST", url, dict(headers), json=body)

    def knock(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """A POST to the stack's own address that has no effect: not signed, empty, or an echo. Raises NoAnswer."""
        path = urlsplit(url).path
        echo = path.endswith("/slack/events") and body.startswith(b'{"type": "url_verification"')
        if body not in (b"", b"{}") and not echo:
            raise NotARead(url)
        return self._send("POST", url, {"Content-Type": "application/json", **(headers or {})}, data=body)

    def _send(self, method: str, url: str, headers: dict[str, str], **more: Any) -> Answer:
        self.calls.append((method, url))
        try:
            with self.session.request(
                method, url, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=method == "GET", **more
            ) as got:
                body = got.raw.read(MOST_BYTES, decode_content=True)
                return Answer(got.status_code, got.headers, body, bool(got.history))
        except (requests.RequestException, OSError, ValueError) as error:
            # such an error's own text may hold the whole address
            raise NoAnswer(f"{_host(url)} did not answer ({_kind(error)})") from None
        except Exception as error:
            if type(error).__module__.startswith("urllib3"):
                raise NoAnswer(f"{_host(url)} broke off its answer ({type(error).__name__})") from None
            raise


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "the address"


def _kind(error: Exception) -> str:
    if "NameResolution" in repr(error) or "gaierror" in repr(error):
        return "its name is not known"
    reason = getattr(error, "reason", None)
    name = type(reason if isinstance(reason, Exception) else error).__name__
    known = {"ConnectTimeout": "no connection in time", "ReadTimeout": "no answer in time"}
    return {**known, "TimeoutError": "no answer in time"}.get(name, name)


class Aws:
    """boto3 clients that refuse to ask for anything but a read. `calls` is everything that was asked."""

    def __init__(self, region: str = "", endpoints: Mapping[str, str] | None = None, **credentials: str) -> None:
        self._region, self._endpoints, self._credentials = region, dict(endpoints or {}), credentials
        self._known: dict[tuple[str, str, str], Any] = {}
        self.calls: list[str] = []

    def client(self, service: str, region: str = "", role_arn: str = "") -> Any:
        """A client, in that region (default: the installation's), acting in that role (default: as the caller)."""
        key = (service, region or self._region, role_arn)
        if key not in self._known:
            self._known[key] = self._made(*key)
        return self._known[key]

    def _made(self, service: str, region: str, role_arn: str) -> Any:
        import boto3
        from botocore.config import Config

        settings = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})
        extra: dict[str, Any] = {"config": settings, "region_name": region or None}
        if address := self._endpoints.get(service) or self._endpoints.get(""):
            extra["endpoint_url"] = address
        if role_arn:
            from chatops.network.assumed import session

            made = session(role_arn, self.client("sts")).client(service, **extra)
        else:
            made = boto3.client(service, **extra, **self._credentials)
        made.meta.events.register_first("provide-client-params", self._look_only)
        return made

    def _look_only(self, model: Any, **_: Any) -> None:
        if not _AWS_READS.fullmatch(model.name):
            raise NotARead(f"{model.service_model.service_name}:{model.name}")
        self.calls.append(f"{model.service_model.service_name}:{model.name}")


SLACK = frozenset({"auth.test", "conversations.info", "users.info", "usergroups.users.list"})
"""The methods of Slack's that are called: https://docs.slack.dev/reference/methods"""
_QUIET = logging.getLogger(f"{__name__}.slack")
_QUIET.setLevel(logging.CRITICAL)
"""What slack_sdk says of a request that failed is said here."""


@dataclass
class Slack:
    """Slack's Web API, read only, as the bot."""

    web: Web
    base: str
    token: str
    known: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def ask(self, method: str, **arguments: str) -> Answer:
        """One method's answer, `ok` or not; each is asked once, as the bot asks it. Raises NoAnswer."""
        if method not in SLACK:
            raise NotARead(method)
        key = (method, repr(sorted(arguments.items())))
        if key not in self.known:
            self.known[key] = self._asked(method, arguments)
        return self.known[key]

    def _asked(self, method: str, arguments: dict[str, str]) -> Answer:
        trust = ssl.create_default_context(cafile=where())
        client = WebClient(self.token, self.base, timeout=int(TIMEOUT[1]), ssl=trust, retry_handlers=[], logger=_QUIET)
        self.web.calls.append(("POST", f"{self.base}{method}"))
        ask = getattr(client, method.replace(".", "_"))
        try:
            found = ask(**arguments)
        except SlackApiError as error:
            found = error.response
        except (SlackClientError, HTTPException, OSError, ValueError, AttributeError) as error:
            raise NoAnswer(f"{_host(self.base)} did not answer ({_kind(error)})") from None
        if not is_answer(method, found.data):
            said = f"{_host(self.base)} answered {found.status_code} to {method}, not as Slack does"
            elsewhere = "" if found.status_code >= 500 else f": SLACK_API_URL ({self.base}) is not Slack's address"
            raise NoAnswer(f"{said}{elsewhere}")
        return Answer(found.status_code, CaseInsensitiveDict(found.headers), json.dumps(found.data).encode())
