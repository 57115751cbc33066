"""How the GitHub fake treats Apps: their JSON web tokens, and the tokens of their installations."""

from __future__ import annotations

import base64
import json

import pytest
from werkzeug.test import Client, TestResponse

from chatops.github import jwt
from fakes.clock import Clock
from fakes.github import GitHub, Repository
from fakes.github.apps import FORBIDDEN, NOT_GRANTED, NOT_REACHED, Installation
from fakes.github.jwt import EXPIRED, NOT_YET, TOO_FAR, UNREADABLE
from tests.app_key import APP_ID, private_key
from tests.contract import test_github_fake_description as published

REPO = "/repos/acme/checkout-api"
INSTALLATION, TOKENS = "/repos/{owner}/{repo}/installation", "/app/installations/{installation_id}/access_tokens"
NOW = 1_712_345_678.0


class Still(Clock):
    """A clock that stands still until it is moved."""

    at = NOW

    def now(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Still:
    return Still()


@pytest.fixture
def github(clock: Still) -> GitHub:
    return GitHub(clock)


@pytest.fixture
def installed(github: GitHub) -> Installation:
    return github.apps.install(github.apps.register(APP_ID, private_key()), "acme")


def as_app(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "User-Agent": "tests"}


def signed(app: str = APP_ID, key: int = 1, now: float = NOW) -> dict[str, str]:
    return as_app(jwt.signed(app, private_key(key), now))


def ask(client: Client, installed: Installation, body: object = None) -> TestResponse:
    return client.post(f"/app/installations/{installed.id}/access_tokens", json=body, headers=signed())


def said(response: TestResponse) -> tuple[int, str]:
    return response.status_code, str(response.json and response.json["message"])


def forged(header: dict[str, str]) -> str:
    """A token without a signature that holds, of whatever algorithm."""
    claims = {"iat": int(NOW), "exp": int(NOW) + 60, "iss": APP_ID}
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)
    )


@pytest.mark.skipif(not published.DESCRIPTION.exists(), reason="needs @octokit/openapi")
def test_what_an_app_is_told_is_as_described(client: Client, installed: Installation) -> None:
    found = client.get(f"{REPO}/installation", headers=signed())
    assert published.assert_described(found, INSTALLATION)["id"] == installed.id
    limits = {"repositories": ["checkout-api"], "permissions": {"contents": "write"}}
    for body in (limits, None):
        published.assert_described(ask(client, installed, body), TOKENS, "post")
    installed.suspended = True
    published.assert_described(client.get(f"{REPO}/installation", headers=signed()), INSTALLATION)


@pytest.mark.skipif(not published.DESCRIPTION.exists(), reason="needs @octokit/openapi")
def test_every_refusal_of_a_token_is_among_the_described_ones(client: Client, installed: Installation) -> None:
    path = f"/app/installations/{installed.id}/access_tokens"
    refusals = [
        client.post(path, headers=signed(key=2)),
        client.post("/app/installations/1/access_tokens", headers=signed()),
        ask(client, installed, {"permissions": {"administration": "write"}}),
    ]
    installed.suspended = True
    refusals.append(ask(client, installed))
    described = published.description()["paths"][TOKENS]["post"]["responses"]
    assert [str(r.status_code) for r in refusals] == ["401", "404", "422", "403"]
    assert {str(r.status_code) for r in refusals} <= described.keys()


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        (jwt.signed(APP_ID, private_key(), NOW - jwt.LIFE), 401, EXPIRED),
        (jwt.signed(APP_ID, private_key(), NOW + jwt.LIFE + 1), 401, TOO_FAR),
        (jwt.signed(APP_ID, private_key(), NOW + jwt.DRIFT + 1), 401, TOO_FAR),
        (jwt.signed(APP_ID, private_key(2), NOW), 401, UNREADABLE),
        (jwt.signed("1", private_key(), NOW), 404, "Integration not found"),
        (jwt.signed(APP_ID, private_key(), NOW)[:-4], 401, UNREADABLE),
        (f"{forged({'alg': 'none'})}.", 401, UNREADABLE),
        (f"{forged({'alg': 'RS256'})}.c2ln", 401, UNREADABLE),
        ("ghp_local", 401, UNREADABLE),
        ("a.b.c", 401, UNREADABLE),
    ],
)
def test_a_statement_that_does_not_hold_is_refused_in_githubs_words(
    client: Client, installed: Installation, token: str, status: int, words: str
) -> None:
    assert said(client.get(f"{REPO}/installation", headers=as_app(token))) == (status, words)
    path = f"/app/installations/{installed.id}/access_tokens"
    assert said(client.post(path, headers=as_app(token))) == (status, words)


def test_times_are_held_to_the_second(client: Client, installed: Installation, clock: Still) -> None:
    token = as_app(jwt.signed(APP_ID, private_key(), NOW))
    for at, words in ((NOW + jwt.LIFE - 1, ""), (NOW + jwt.LIFE, EXPIRED), (NOW - jwt.DRIFT, ""), (NOW - 61, TOO_FAR)):
        clock.at = at
        answer = client.get(f"{REPO}/installation", headers=token)
        assert said(answer) == (401, words) if words else answer.status_code == 200


def test_a_statement_from_the_future_is_refused(
    client: Client, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwt, "DRIFT", -5)
    assert said(client.get(f"{REPO}/installation", headers=signed())) == (401, NOT_YET)


def test_a_client_id_names_the_app_as_well(client: Client, installed: Installation) -> None:
    assert client.get(f"{REPO}/installation", headers=signed(installed.app.client_id)).status_code == 200


def test_an_installations_token_is_good_for_an_hour_where_it_was_asked_for(
    client: Client, github: GitHub, installed: Installation, clock: Still
) -> None:
    made = ask(client, installed, {"repositories": ["checkout-api"]}).json
    assert made is not None
    assert made["expires_at"] == "2024-04-05T20:34:38Z"
    token = as_app(made["token"])
    assert client.get(REPO, headers=token).status_code == 200
    github.repositories["acme/other"] = Repository("acme", "other", id=2)
    assert said(client.get("/repos/acme/other", headers=token)) == (404, "Not Found")
    assert client.post(f"{REPO}/dispatches", json={"event_type": "x"}, headers=token).status_code == 204
    clock.at = NOW + 3600
    assert said(client.get(REPO, headers=token)) == (401, "Bad credentials")
    assert client.get(f"{REPO}/installation", headers=token).status_code == 401
    github.close()


def test_a_token_does_what_was_asked_for_and_no_more(client: Client, installed: Installation) -> None:
    made = ask(client, installed, {"permissions": {"contents": "read", "metadata": "read"}}).json
    assert made is not None
    assert client.get(f"{REPO}/tags", headers=as_app(made["token"])).status_code == 200
    refused = client.post(f"{REPO}/dispatches", json={"event_type": "x"}, headers=as_app(made["token"]))
    assert said(refused) == (403, FORBIDDEN)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"permissions": {"administration": "read"}}, NOT_GRANTED),
        ({"permissions": {"metadata": "write"}}, NOT_GRANTED),
        ({"repositories": ["elsewhere"]}, NOT_REACHED),
    ],
)
def test_more_than_was_granted_is_422(
    client: Client, installed: Installation, limits: dict[str, object], words: str
) -> None:
    installed.repositories = frozenset({"checkout-api"})
    assert said(ask(client, installed, limits)) == (422, words)


def test_an_app_that_is_not_installed_there_is_404(client: Client, installed: Installation) -> None:
    installed.repositories = frozenset({"elsewhere"})
    assert said(client.get(f"{REPO}/installation", headers=signed())) == (404, "Not Found")
