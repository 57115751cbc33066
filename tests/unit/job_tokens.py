"""Jobs of GitHub Actions that ask the bot something, with tokens as the fake issuer signs them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chatops import clock
from chatops.domain.run_token import ExpectedRun
from chatops.github import oidc
from chatops.steps import stage
from fakes.github.model import Run
from fakes.github.oidc import Oidc
from fakes.github.repository import Repository

AUDIENCE, ISSUER = "platform-deploy:123456789012:us-east-1:platform-deploy", "https://token.actions.test"
RUN = 9001
PATH = ".github/workflows/dev_deploy.yml"
EXPECTED = ExpectedRun("704218356", "main", PATH, "", "dev-build")
"""Of a build stage of the target `dev`."""
SHA = "e3c8241a6e0881bad7a9721d12c6698a35e1e833"


def a_run(stage_name: str = "build", **changes: Any) -> Run:
    """The run that the bot's event starts."""
    made = Run(RUN, 7, "acme/checkout-api", "d-x build", "repository_dispatch", SHA, "main", 0, 0, 0)
    return replace(made, payload={"stage": stage_name, "target": "dev"}, **changes)


@dataclass
class Jobs:
    """`fake`: the issuer. `away`: its addresses that answer nothing. `answers`: what it answers instead, by address.
    `asked`: the addresses that were asked."""

    fake: Oidc
    away: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, bytes] = {}

    def read(self, url: str) -> bytes:
        """For `oidc.read`."""
        self.asked.append(url)
        if any(url.endswith(end) for end in self.away):
            raise oidc.KeysUnavailable("it did not answer (URLError)")
        found = {
            f"{ISSUER}/.well-known/openid-configuration": self.fake.configuration,
            f"{ISSUER}/.well-known/jwks": self.fake.jwks,
        }
        return self.answers.get(url) or json.dumps(found[url]()).encode()

    def claims(self, run: Run | None = None, **changes: Any) -> dict[str, Any]:
        """Those of a build job's token; None takes one out, and a function is given the time."""
        made = self.fake.claims(Repository("acme", "checkout-api"), run or a_run(), AUDIENCE) | changes
        filled = {name: value(self.fake.now()) if callable(value) else value for name, value in made.items()}
        return {name: value for name, value in filled.items() if value is not None}

    def token(self, run: Run | None = None, **changes: Any) -> str:
        return self.fake.signed(self.claims(run, **changes))


def _now() -> float:
    """Of the clock that a test has put in its place."""
    return clock.now()


def jobs(patch: pytest.MonkeyPatch) -> Jobs:
    """The issuer in place of GitHub's; nothing of it is known yet."""
    made, issuer = Jobs(Oidc(ISSUER, now=_now)), oidc.Issuer(ISSUER, AUDIENCE)
    patch.setattr(oidc, "read", made.read)
    patch.setattr(oidc, "issuer", lambda: issuer)
    return made


def post(route: str, body: object, token: str | None = None, **more: Any) -> tuple[int, dict[str, Any]]:
    """What `stage` answers."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = stage.run({"routeKey": f"POST /stages/{route}", "headers": headers, "body": text, **more})
    assert answer["headers"] == {"content-type": "application/json"}
    assert len(answer["body"]) < 800
    return answer["statusCode"], json.loads(answer["body"])
