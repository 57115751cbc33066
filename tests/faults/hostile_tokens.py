"""Tokens that speak for no run for which a stage waits, made of one that does. `Tokens.wrong` never makes that one.

Signed ones are made once, as GitHub would sign them for somebody's other job; the rest is changed anew each time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cached_property
from random import Random
from typing import Any

from tests.faults.hostile_bodies import FIXED
from tests.unit.job_tokens import EXPECTED, PATH, RUN, Jobs

OTHERS: dict[str, list[Any]] = {
    "repository_id": ["1", "704218357", " 704218356", "0704218356", 704218356, ["704218356"], {"a": 1}, "", None],
    "run_id": ["5", "9002", "09001", "9001.0", "+9001", RUN, [RUN], "", None, "9" * 400],
    "run_attempt": ["2", "0", "01", "1 ", 1, True, "", None],
    "event_name": ["push", "pull_request", "workflow_dispatch", "Repository_Dispatch", ["repository_dispatch"], None],
    "ref": ["refs/heads/feature", "refs/tags/main", "refs/pull/1/merge", "main", "refs/heads/main\n", None],
    "workflow_ref": [
        *(f"acme/checkout-api/{PATH}@refs/heads/x", f"evil/checkout-api/{PATH}@refs/heads/main", PATH, "", None),
        *(f"acme/checkout-api/{PATH}", f"/acme/checkout-api/{PATH}@refs/heads/main", "@@", 7),
    ],
    "job_workflow_ref": [f"evil/x/{PATH}@refs/heads/main", f"acme/checkout-api/{PATH}@refs/heads/x", "@", None, []],
    "repository": ["evil/fork", "acme", "acme/checkout-api/x", "", None],
    "environment": ["dev", "dev-build ", "prod-build", "", None, ["dev-build"], {"name": "dev-build"}],
    "aud": ["sts.amazonaws.com", "", [], ["x"], None, 7, {"a": 1}],
    "iss": ["https://evil.test", "https://token.actions.test/", "", None, ["https://token.actions.test"], 7],
    "exp": [0, 1, -1, "x", None, [], float("-inf"), 1e300],
    "nbf": [4_000_000_000, "x", None, [], float("inf")],
    "iat": [4_000_000_000, "x", None, {}, float("inf"), float("nan")],
    "sub": [7, ["x"], {}],
    "jti": [7, []],
}
"""By claim, other values than the expected run's. (`exp` far away is the issuer's to decide.)"""
OTHERS["exp"].remove(1e300)
HEADERS: list[dict[str, Any]] = [
    *({"alg": alg} for alg in ("none", "None", "HS256", "RS384", "PS256", "ES256", "", None, 7, ["RS256"])),
    *({"kid": kid} for kid in ("", "x", None, 7, "../../key", "a" * 5000, ["x"], {"kid": "x"})),
    *({"crit": crit} for crit in (["exp"], ["b64"], [], "exp", 7)),
    {"b64": False, "crit": ["b64"]},
]


class Tokens:
    """Of an issuer whose keys the product knows."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.right = jobs.token()

    @cached_property
    def signed(self) -> list[str]:
        """Signed by the issuer, for other runs."""
        changes = [{claim: value} for claim, values in OTHERS.items() for value in values]
        found = [self._jobs.token(**change) for change in changes]
        signed = self._jobs.fake.signed
        found += [signed(self._jobs.claims(), header) for header in HEADERS]
        found += [signed({}), signed({"a": "x" * 100_000})]
        found += [signed(self._jobs.claims() | {"environment": EXPECTED.environment, "repository_id": "9"})]
        self._jobs.fake.keys = [1]
        found += [self._jobs.token(), signed(self._jobs.claims(), {"kid": self._jobs.fake.jwks()["keys"][0]["kid"]})]
        self._jobs.fake.keys = [0]
        return found

    def wrong(self, pick: Random) -> str | None:
        """One of them, or something that is no token; None for no header."""
        for _ in range(99):
            made = pick.choice(MUTATIONS)(self, pick)
            if made is None or not _same(made, self.right):
                return made
        return None

    def pick(self, pick: Random) -> str:
        return pick.choice(self.signed)


def _same(one: str, other: str) -> bool:
    """Whether two tokens are the same, however the base64 of their signature is written."""
    (said, _, signature), (said_too, _, signature_too) = (text.strip().rpartition(".") for text in (one, other))
    return said == said_too and _decoded(signature) == _decoded(signature_too)


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part.encode("ascii", "replace") + b"==")
    except ValueError:
        return part.encode()


def _changed(tokens: Tokens, pick: Random) -> str:
    made = list(tokens.right)
    for _ in range(pick.randrange(1, 5)):
        made[pick.randrange(len(made))] = pick.choice("AZaz09-_.=+/ \n\x00é")
    return "".join(made)


def _cut(tokens: Tokens, pick: Random) -> str:
    at = pick.randrange(len(tokens.right))
    return pick.choice([tokens.right[:at], tokens.right[at:], tokens.right[:at] + tokens.right, tokens.right * 9])


def _shuffled(tokens: Tokens, pick: Random) -> str:
    parts = [*tokens.right.split("."), *tokens.pick(pick).split(".")]
    return ".".join(pick.choices(parts, k=pick.randrange(1, 6)))


def _claims_changed(tokens: Tokens, pick: Random) -> str:
    """Under the signature of the right one."""
    head, body, signature = tokens.right.split(".")
    claims = json.loads(_decoded(body))
    claim = pick.choice(sorted(OTHERS))
    claims[claim] = pick.choice(OTHERS[claim])
    header = json.loads(_decoded(head)) | (pick.choice(HEADERS) if pick.random() < 0.3 else {})
    return f"{_encoded(header)}.{_encoded(claims)}.{pick.choice([signature, '', 'x'])}"


def _made_up(tokens: Tokens, pick: Random) -> str:
    return pick.choice(FIXED).decode("latin-1")


def _deep(tokens: Tokens, pick: Random) -> str:
    deep = base64.urlsafe_b64encode(b"[" * pick.randrange(1, 5000)).decode().rstrip("=")
    parts = tokens.right.split(".")
    parts[pick.randrange(3)] = deep
    return ".".join(parts)


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


MUTATIONS: list[Callable[[Tokens, Random], str | None]] = [
    Tokens.pick,
    Tokens.pick,
    _changed,
    _changed,
    _cut,
    _shuffled,
    _claims_changed,
    _claims_changed,
    _made_up,
    _deep,
    lambda *_: None,
]
