"""GitHub Apps: who they are, where they are installed, and the tokens that their installations were given."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from fakes.clock import Clock
from fakes.github import jwt
from fakes.github.errors import ApiError
from fakes.github.grants import LEVELS, Grant

HOUR = 3600.0
"""Seconds that an installation's token is good for."""

FORBIDDEN = "Resource not accessible by integration"
NOT_GRANTED = "The permissions requested are not granted to this installation."
NOT_REACHED = "There is at least one repository that does not exist or is not accessible to the parent installation."
USUAL = {"contents": "write", "actions": "write", "metadata": "read"}


@dataclass(frozen=True)
class App:
    """An App; a JSON web token may name it by id or by client id."""

    id: int
    client_id: str
    key: RSAPublicKey
    slug: str = "platform-deploy"


@dataclass
class Installation:
    """An App in an owner's repositories; `repositories` are their names, None for all."""

    id: int
    app: App
    owner: str
    permissions: Mapping[str, str]
    repositories: frozenset[str] | None = None
    suspended: bool = False

    def reaches(self, name: str) -> bool:
        """Whether a repository of the owner is among the installation's."""
        return self.repositories is None or name.lower() in {one.lower() for one in self.repositories}


@dataclass(frozen=True)
class InstallationToken:
    """A token that was given out. `expires` in epoch seconds."""

    value: str
    expires: float
    installation: Installation
    grant: Grant


@dataclass
class Apps:
    """All Apps of this GitHub. Times are the wall clock's, as the functions' are."""

    clock: Clock
    apps: dict[str, App] = field(default_factory=dict)
    installations: list[Installation] = field(default_factory=list)
    tokens: dict[str, InstallationToken] = field(default_factory=dict)

    def register(self, name: str, pem: str) -> App:
        """Make an App known by its id or client id, with its key (PEM, either half). ValueError for another text."""
        text = pem.replace("\\n", "\n").encode()
        key = load_pem_public_key(text) if b"PUBLIC KEY" in text else load_pem_private_key(text, None)
        public = key.public_key() if isinstance(key, RSAPrivateKey) else key
        if not isinstance(public, RSAPublicKey):
            raise ValueError("not an RSA key")
        number = int(name) if name.isdigit() else 1_234_567
        app = App(number, "Iv23liLocalLocalLoca" if name.isdigit() else name, public)
        self.apps |= {str(app.id): app, app.client_id: app}
        return app

    def install(
        self,
        app: App,
        owner: str,
        repositories: frozenset[str] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> Installation:
        """Install it for an owner, by default for all repositories with the permissions the bot needs."""
        number = 51_000_001 + len(self.installations)
        made = Installation(number, app, owner, USUAL if permissions is None else permissions, repositories)
        self.installations.append(made)
        return made

    def authenticate(self, token: str) -> App:
        """The App that signed this JSON web token. Raises ApiError 401, 404."""

        def key_of(name: str) -> RSAPublicKey | None:
            return self.apps[name].key if name in self.apps else None

        return self.apps[jwt.issuer(token, key_of, self.clock.now())]

    def on(self, app: App, owner: str, name: str) -> Installation:
        """The App's installation on a repository. Raises ApiError 404."""
        for one in self.installations:
            if one.app is app and one.owner.lower() == owner.lower() and one.reaches(name):
                return one
        raise ApiError(404)

    def grant(self, token: str) -> Grant | None:
        """What a token may do; None for an unknown one and from the end of its hour on."""
        found = self.tokens.get(token)
        if found is None or self.clock.now() >= found.expires or found.installation.suspended:
            return None
        return found.grant

    def give(
        self, app: App, number: int, names: list[str] | None, permissions: Mapping[str, str] | None
    ) -> InstallationToken:
        """A new token, limited as asked. Raises ApiError 404, 403 (suspended), 422 (more than was granted)."""
        found = next((one for one in self.installations if one.id == number and one.app is app), None)
        if found is None:
            raise ApiError(404)
        if found.suspended:
            raise ApiError(403, "This installation has been suspended")
        asked = dict(found.permissions if permissions is None else permissions)
        granted = Grant(found.permissions, refusal=FORBIDDEN)
        if not all(level in LEVELS and granted.allows(name, level) for name, level in asked.items()):
            raise ApiError(422, NOT_GRANTED)
        if names is not None and not all(map(found.reaches, names)):
            raise ApiError(422, NOT_REACHED)
        reached = found.repositories if names is None else frozenset(names)
        limited = None if reached is None else frozenset(f"{found.owner}/{name}" for name in reached)
        grant = replace(granted, permissions=asked, repositories=limited)
        value = f"ghs_{secrets.token_hex(18)}"
        token = InstallationToken(value, float(int(self.clock.now() + HOUR)), found, grant)
        self.tokens[value] = token
        return token
