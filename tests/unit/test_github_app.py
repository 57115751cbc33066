"""Acting as a GitHub App: whose token, how often it is asked for, and what its refusals become."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chatops.domain.errors import GitHubRefused, GitHubUnavailable, InvalidConfiguration
from chatops.domain.github_budget import Need
from chatops.github import app, client, deployments, jwt, runs
from chatops.github.app import AppTokens
from chatops.github.client import GitHub
from chatops.settings.config import settings
from fakes.clock import Clock
from fakes.github import Fault, Repository
from fakes.github import GitHub as StandIn
from fakes.github.apps import Installation
from tests.app_key import APP_ID, private_key
from tests.unit.conftest import Time
from tests.unit.direct import Direct

BASE, CHECKOUT = "https://api.github.test", "acme/checkout-api"
ASKED = [("GET", f"/repos/{CHECKOUT}/installation"), ("POST", "/app/installations/51000001/access_tokens")]


class Key:
    """The key as the secret has it; a cache holds the one that was read before."""

    def __init__(self) -> None:
        self.cached = self.stored = private_key()

    def __call__(self, fresh: bool) -> str:
        self.cached = self.stored if fresh else self.cached
        return self.cached


@pytest.fixture
def fake(time: Time) -> Iterator[StandIn]:
    """GitHub without any personal token, on the same clock."""
    clock = Clock()
    clock.now = time  # type: ignore[method-assign]
    made = StandIn(clock, web_url="https://github.test")
    made.tokens = set()
    yield made
    made.close()


@pytest.fixture
def installed(fake: StandIn) -> Installation:
    return fake.apps.install(fake.apps.register(APP_ID, private_key()), "acme")


@pytest.fixture
def key() -> Key:
    return Key()


@pytest.fixture
def session(fake: StandIn) -> requests.Session:
    made = requests.Session()
    made.mount("https://", Direct(fake.app))
    return made


@pytest.fixture
def tokens(installed: Installation, key: Key, session: requests.Session) -> AppTokens:
    return AppTokens(APP_ID, BASE, key, session)


def on(repository: str, tokens: AppTokens, session: requests.Session) -> GitHub:
    return GitHub(repository, BASE, lambda fresh: tokens.token(repository, fresh), session, app=True)


@pytest.fixture
def github(tokens: AppTokens, session: requests.Session) -> GitHub:
    return on(CHECKOUT, tokens, session)


def asked(fake: StandIn) -> list[tuple[str, str]]:
    """The requests that were about a token."""
    return [(call.method, call.path) for call in fake.calls if "installation" in call.path]


def test_a_token_is_asked_for_once_and_kept(github: GitHub, fake: StandIn) -> None:
    fake.actions_enabled = False
    github.get("")
    runs.dispatch(github, "dev_deploy", {})
    assert asked(fake) == ASKED
    assert [call.status for call in fake.calls] == [200, 201, 200, 204]


def test_a_token_may_only_do_what_the_bot_does_and_only_there(github: GitHub, fake: StandIn) -> None:
    fake.repositories["acme/other"] = Repository("acme", "other", id=2)
    github.get("")
    (token,) = fake.apps.tokens.values()
    assert token.grant.permissions == {"contents": "write", "actions": "write", "metadata": "read"}
    assert token.grant.repositories == {CHECKOUT}


def test_a_token_is_replaced_five_minutes_before_it_expires(github: GitHub, fake: StandIn, time: Time) -> None:
    github.get("")
    time.pass_by(3600 - app.MARGIN - 1)
    github.get("")
    assert asked(fake) == ASKED
    time.pass_by(1)
    github.get("")
    assert asked(fake) == ASKED * 2


def test_a_401_makes_another_token_once(github: GitHub, fake: StandIn) -> None:
    github.get("")
    fake.apps.tokens.clear()
    assert github.get("")["full_name"] == CHECKOUT
    assert asked(fake) == ASKED * 2
    fake.faults.append(Fault(path=f"{CHECKOUT}$", status=401, times=None))
    with pytest.raises(GitHubRefused) as caught:
        github.get("")
    assert caught.value.key == "github_app_401"
    assert asked(fake) == ASKED * 3


def test_each_repository_has_a_token_and_each_owner_an_installation(
    github: GitHub, fake: StandIn, tokens: AppTokens, session: requests.Session
) -> None:
    fake.repositories |= {name: Repository(*name.split("/"), id=2) for name in ("other/shop", "acme/second")}
    fake.apps.install(fake.apps.apps[APP_ID], "other")
    for repository in (CHECKOUT, "other/shop", "acme/second", CHECKOUT):
        assert on(repository, tokens, session).get("")["full_name"] == repository
    given = [(token.installation.owner, set(token.grant.repositories or ())) for token in fake.apps.tokens.values()]
    assert given == [("acme", {CHECKOUT}), ("other", {"other/shop"}), ("acme", {"acme/second"})]


def test_a_key_that_was_rotated_is_read_afresh(github: GitHub, fake: StandIn, key: Key) -> None:
    fake.apps.install(fake.apps.register(APP_ID, private_key(2)), "acme")
    key.stored = private_key(2)
    assert github.get("")["full_name"] == CHECKOUT
    assert [call.status for call in fake.calls] == [401, 200, 201, 200]


def test_a_key_that_is_wrong_is_refused_without_a_word_of_it(github: GitHub, key: Key) -> None:
    key.cached = key.stored = private_key(2)
    with pytest.raises(GitHubRefused) as caught:
        github.get("")
    assert (caught.value.status, caught.value.key) == (401, "github_app_401")
    assert caught.value.said == "A JSON web token could not be decoded"


@pytest.mark.parametrize(
    ("spoil", "status", "said"),
    [
        ({"repositories": frozenset({"other"})}, 404, "Not Found"),
        ({"permissions": {"contents": "read", "metadata": "read"}}, 403, "The permissions requested are not granted"),
        ({"suspended": True}, 403, "This installation has been suspended"),
    ],
)
def test_an_installation_that_does_not_do_says_why(
    github: GitHub, installed: Installation, spoil: dict[str, object], status: int, said: str
) -> None:
    for name, value in spoil.items():
        setattr(installed, name, value)
    with pytest.raises(GitHubRefused) as caught:
        github.get("")
    assert (caught.value.status, caught.value.key) == (status, f"github_app_{status}")
    assert caught.value.said.startswith(said)


def test_a_repository_that_was_renamed_is_called_that_and_not_a_lack_of_rights(github: GitHub, fake: StandIn) -> None:
    """GitHub shows the installation at the old name, and gives no token for it."""
    here = fake.default_repository
    old = CHECKOUT.partition("/")[2]
    here.name, here.former_names = "checkout", frozenset({f"acme/{old}"})
    fake.repositories["acme/checkout"] = fake.repositories.pop(CHECKOUT)
    with pytest.raises(GitHubRefused) as caught:
        github.get("")
    assert (caught.value.key, caught.value.repository) == ("github_moved", CHECKOUT)


def test_no_answer_about_a_token_may_be_tried_again(github: GitHub, fake: StandIn) -> None:
    fake.down = True
    with pytest.raises(GitHubUnavailable):
        github.get("")
    fake.down = False
    assert github.get("")["full_name"] == CHECKOUT


@pytest.mark.parametrize("broken", [True, False])
def test_line_breaks_that_became_two_characters_are_understood(broken: bool, time: Time, fake: StandIn) -> None:
    fake.apps.register(APP_ID, private_key())
    text = private_key().replace("\n", "\\n") if broken else private_key()
    assert fake.apps.authenticate(jwt.signed(APP_ID, text, time())).id == int(APP_ID)


def _elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("key", ["s3cret", private_key()[:-200], _elliptic(), ""])
def test_an_unusable_key_is_named_with_what_it_should_hold_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        jwt.signed(APP_ID, key, 0)
    assert str(caught.value).startswith("GITHUB_APP_PRIVATE_KEY isn't a usable key; it should hold the RSA private key")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_app_is_used_where_it_is_configured(
    environment: pytest.MonkeyPatch, fake: StandIn, installed: Installation, session: requests.Session
) -> None:
    environment.setenv("CHATOPS_GITHUB_API_URL", BASE)
    environment.setenv("GITHUB_APP_ID", APP_ID)
    environment.setenv("GITHUB_APP_PRIVATE_KEY", private_key())
    environment.setattr(client, "_session", lambda: session)
    client._app_tokens.cache_clear()
    assert settings().github_app_id == APP_ID
    assert client.github(CHECKOUT).get("")["full_name"] == CHECKOUT
    assert client.github(CHECKOUT).get("")["full_name"] == CHECKOUT
    assert asked(fake) == ASKED
    client._app_tokens.cache_clear()


@pytest.mark.usefixtures("rows")
def test_an_app_that_was_not_granted_deployments_can_do_all_the_rest(
    environment: pytest.MonkeyPatch, fake: StandIn, installed: Installation, session: requests.Session
) -> None:
    """What GitHub shows is asked for with a token of its own."""
    for name, value in (("GITHUB_APP_ID", APP_ID), ("GITHUB_APP_PRIVATE_KEY", private_key())):
        environment.setenv(name, value)
    environment.setenv("CHATOPS_GITHUB_API_URL", BASE)
    environment.setattr(client, "_session", lambda: session)
    client._app_tokens.cache_clear()
    for _ in range(2):
        with pytest.raises(GitHubRefused) as caught:
            deployments.find(client.github(CHECKOUT, Need.SHOW), "d-1", "a" * 40, "dev")
        assert caught.value.status == 403
        assert client.github(CHECKOUT).get("")["full_name"] == CHECKOUT
    installed.permissions = {**installed.permissions, "deployments": "write"}
    assert deployments.find(client.github(CHECKOUT, Need.SHOW), "d-1", "a" * 40, "dev") == 0
    client._app_tokens.cache_clear()


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"GITHUB_APP_ID": APP_ID}, "GITHUB_APP_PRIVATE_KEY is not set; it should hold the private key (PEM)"),
        ({}, "GITHUB_PERSONAL_ACCESS_TOKEN is not set; it should hold a token for GitHub (classic with repo, or"),
    ],
)
def test_what_is_missing_is_named_with_what_it_should_hold(
    environment: pytest.MonkeyPatch, env: dict[str, str], says: str
) -> None:
    environment.delenv("GITHUB_PERSONAL_ACCESS_TOKEN")
    for name, value in env.items():
        environment.setenv(name, value)
    client._app_tokens.cache_clear()
    with pytest.raises(InvalidConfiguration) as caught:
        client.github(CHECKOUT).get("")
    assert str(caught.value).startswith(says)


def test_nobody_pays_for_signing_who_has_no_app() -> None:
    """A tenth of a second of every cold start."""
    code = "import sys, chatops.github.client; sys.exit('cryptography' in sys.modules)"
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=there).returncode == 0
