"""Does the stack's own address answer, and does it refuse and accept what it should? Nothing here has an effect."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets as chance
from collections.abc import Iterator

from chatops.settings import secrets
from doctor.clients import Answer
from doctor.installation import Installation
from doctor.result import NotLooked, Result, failed, ok

LINK = "README.md, Install"
_UNKNOWN = "the stack's address is not known"
_NAME_IT = "Name the stack (STACK=…), or set CHATOPS_API_URL to its address (https://….amazonaws.com/prod)."


def request_url(installation: Installation, _: str) -> Iterator[Result]:
    """An unsigned request must be answered 401: that proves that the function behind it runs."""
    url = f"{_base(installation)}/slack/events"
    answer = installation.web.knock(url, b"{}")
    if answer.status == 401:
        yield ok(f"{url} answers and refuses what is not signed.")
        return
    yield failed(
        f"{url} answers {answer.status} to a request that is not signed; it should answer 401.",
        "Slack shows “dispatch_failed” or “did not respond” to every command.",
        _way(answer, "slack"),
        LINK,
    )


def signing_secret(installation: Installation, _: str) -> Iterator[Result]:
    """A signed echo (Slack's url_verification): the function must hold the same secret as was read here."""
    url, challenge = f"{_base(installation)}/slack/events", chance.token_hex(8)
    body = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
    stamp = str(int(installation.now()))
    key = installation.secret(secrets.SLACK_SIGNING_SECRET).encode()
    signature = hmac.new(key, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}
    answer = installation.web.knock(url, body, headers)
    if answer.status == 200 and challenge in answer.body.decode("utf-8", "replace"):
        yield ok(
            "The function behind the request URL holds the same signing secret as this check. Whether it is the Slack "
            "app's own, only Slack can tell: `/platform-deploy help` must be answered."
        )
        return
    yield failed(
        f"The function behind the request URL does not hold the signing secret that was read here ({answer.status}).",
        "If the function's is the wrong one, every request of Slack's is answered 401: “dispatch_failed”.",
        "Put the signing secret of the app's page Basic Information into the stack's secret as SLACK_SIGNING_SECRET; "
        "the function reads it again within five minutes. Look at this machine's clock too.",
        LINK,
    )


def claim_url(installation: Installation, _: str) -> Iterator[Result]:
    """An empty claim must be answered 403. It is refused before anything is read: nothing is written either way."""
    url = f"{_base(installation)}/stages/claim"
    answer = installation.web.knock(url, b"{}")
    if answer.status == 403 and answer.said:
        yield ok(f"{url} answers and refuses what has no ticket.")
        return
    yield failed(
        f"{url} answers {answer.status} to an empty claim; it should answer 403.",
        "Pipelines cannot claim their stage: their runs stop at the first step, and deployments fail.",
        _way(answer, "stage"),
        LINK,
    )


def _base(installation: Installation) -> str:
    if not installation.api_url:
        raise NotLooked(_UNKNOWN, _NAME_IT)
    return installation.api_url


def _way(answer: Answer, function: str) -> str:
    if answer.status == 404:
        return (
            "The address leads to no route: compare it with the stack's output SlackRequestUrl (it has /prod in it), "
            "and deploy the stack again if it is the same."
        )
    if answer.status == 429:
        return "API Gateway throttles: wait a minute; if it stays, somebody sends it too much."
    if answer.status >= 500:
        return f"The function breaks or times out: its log group /aws/lambda/<stack>-{function} says why."
    return (
        "Something else answers there, or stands in front of it (a proxy, a firewall): compare the address with the "
        "stack's output SlackRequestUrl."
    )
