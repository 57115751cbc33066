"""The calls that a function makes to others, one after the other; and its process's death at one of them.

Runs in a function's process, below everything that it calls with: botocore, requests, urllib (slack_sdk) and
`chatops.network.kept`. A call is known by its service and operation, without what differs from run to run
(`DynamoDB.UpdateItem`, `GitHub.GET.actions.runs.*`, `Slack.chat.postMessage`), and by how many of that name this
invocation has made.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

AWS = {
    "AWSStepFunctions": "States",
    "AWSEvents": "Events",
    "DynamoDB_20120810": "DynamoDB",
    "AmazonEC2ContainerServiceV20141113": "ECS",
    "CodeDeploy_20141006": "CodeDeploy",
    "secretsmanager": "SecretsManager",
}
"""By the prefix of X-Amz-Target."""
PLACES = {"_github": "GitHub", "_slack": "Slack"}
"""The fakes' folders."""
VARIABLE = re.compile(r"[0-9a-f]{40}|\d{5,}|v\d+\.\d+\.\d+.*")


@dataclass(frozen=True)
class Death:
    """The process is killed at this call of an invocation: `before` it is sent, or `after` the other side has carried
    it out and before the function sees the reply. `call`: its name, `nth`: which of that name, from 1.

    `about`: only calls count from the first one on that names one of these, until one that names something else, by
    the regular expression `names`: for a function that looks after many things in one invocation.
    """

    call: str
    nth: int
    when: str
    about: tuple[str, ...] = ()
    names: str = ""

    def order(self) -> dict[str, Any]:
        """As it travels to the process."""
        return asdict(self)


class Calls:
    """One invocation's calls. Safe for threads: the Slack edge acts in one of its own."""

    def __init__(self, death: Death | None) -> None:
        self.made: list[str] = []
        self._death, self._lock = death, threading.Lock()
        self._counts: Counter[str] = Counter()
        self._ours = death is None or not death.about

    def begin(self, name: str, text: str) -> bool:
        """A call is about to be sent; True if the process is to die once it has been carried out."""
        with self._lock:
            death = self._death
            if death and death.about and (found := re.findall(death.names, text)):
                self._ours = any(one in death.about for one in found)
            if not self._ours:
                return False
            self.made.append(name)
            self._counts[name] += 1
            if death is None or name != death.call or self._counts[name] != death.nth:
                return False
            if death.when == "before":
                die()
            return True


NOWHERE = Death("", 0, "")
"""Nobody dies; but the process is a new one, so that everything is seen that a process does once."""


def die() -> None:
    """As Lambda kills a process that takes too much memory: at once, and nothing of it is said any more."""
    os.kill(os.getpid(), signal.SIGKILL)


_current: Calls | None = None


def watch(order: Mapping[str, Any] | None) -> Calls:
    """From here on the calls are this invocation's. `order`: a Death's, if the process is to die."""
    global _current  # noqa: PLW0603 - a process answers one invocation at a time
    _install()
    about = tuple((order or {}).get("about") or ())
    _current = Calls(Death(**{**order, "about": about}) if order else None)
    return _current


def _call(send: Callable[[], Any], name: str, text: str) -> Any:
    calls = _current
    dies = calls.begin(name, text) if calls else False
    answer = send()
    if dies:
        die()
    return answer


@functools.cache
def _install() -> None:
    """Once a process, and only where somebody watches."""
    import requests
    from botocore.httpsession import URLLib3Session

    aws, web, opener = URLLib3Session.send, requests.Session.send, urllib.request.OpenerDirector.open

    def send_aws(self: Any, request: Any) -> Any:
        return _call(lambda: aws(self, request), _operation(request.headers), _text(request.body))

    def send_web(self: Any, request: Any, **more: Any) -> Any:
        name = f"{_place(request.url)[0]}.{request.method}.{_place(request.url)[1]}"
        return _call(lambda: web(self, request, **more), name, f"{request.url} {_text(request.body)}")

    def open_url(self: Any, fullurl: Any, data: Any = None, *more: Any, **named: Any) -> Any:
        url, body = (fullurl, data) if isinstance(fullurl, str) else (fullurl.full_url, fullurl.data)
        place, path = _place(url)
        return _call(lambda: opener(self, fullurl, data, *more, **named), f"{place}.{path}", f"{url} {_text(body)}")

    with contextlib.suppress(ImportError):  # a function of another project
        from chatops.network.kept import Kept

        kept = Kept._ask

        def ask(self: Any, method: str, path: str, headers: Mapping[str, str], *more: Any) -> Any:
            place, rest = _place(f"{self.url}{path}")
            name = _operation(headers) if "X-Amz-Target" in headers else f"{place}.{rest}"
            return _call(lambda: kept(self, method, path, headers, *more), name, _text(more[0]))

        Kept._ask = ask  # type: ignore[assignment, method-assign]  # watched on its way

    URLLib3Session.send = send_aws
    requests.Session.send = send_web  # type: ignore[method-assign]  # watched on its way
    urllib.request.OpenerDirector.open = open_url  # type: ignore[method-assign]  # watched on its way


def _operation(headers: Mapping[str, Any]) -> str:
    """Service and operation of a request to AWS."""
    target = headers.get("X-Amz-Target") or b""
    prefix, _, operation = (target.decode() if isinstance(target, bytes) else str(target)).rpartition(".")
    return f"{AWS.get(prefix, prefix)}.{operation}"


def _place(url: str) -> tuple[str, str]:
    """Which fake, and the rest of the path without a repository's name, ids and shas."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    place = PLACES.get(parts[0], parts[0]) if parts else ""
    rest = parts[1:]
    if rest[:1] == ["repos"]:
        rest = rest[3:]
    elif rest[:1] in (["api"], ["response"]):
        rest = rest[1:] if rest[0] == "api" else rest[:1]
    return place, ".".join(VARIABLE.sub("*", part) for part in rest)


def _text(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes | bytearray) else str(body or "")
