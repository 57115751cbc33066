"""GitHub's issuer of OIDC tokens: its keys, what it says of itself, and the tokens of jobs.

It lies where an Enterprise Server's does, below the same host as everything else here. Claims and their types are those
of GitHub's documentation. https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from fakes.github.model import Run, sha1
from fakes.github.repository import Repository
from fakes.github.workflow import job_name

PLACE = "/_services/token"
LIFE, BACKDATED = 300, 600
"""Seconds that a token is good for after `iat`, and that `nbf` is before it."""
SUPPORTED = (
    "sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "sha", "repository", "repository_id", "repository_owner",
    "repository_owner_id", "repository_visibility", "actor", "actor_id", "head_ref", "base_ref", "workflow",
    "workflow_ref", "workflow_sha", "run_id", "run_number", "run_attempt", "event_name", "ref_type", "ref_protected",
    "environment", "job_workflow_ref", "job_workflow_sha", "runner_environment",
)  # fmt: skip


@cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """Made once a process: the first, the one after a rotation, and so on."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def environment(run: Run) -> str:
    """The environment of the job that carries the stage out, as dev_deploy.yml has it."""
    target = str(run.payload.get("target") or "")
    return f"{target}-build" if job_name(run.stage) == "build" else target


@dataclass
class Oidc:
    """The issuer. `url`: its address, as tokens name it. `keys`: the numbers of those that it publishes; it signs with
    the last one. `given`: every token. `now`: tokens are of real time, whatever the clock of
    the other fakes says, but where a test's clock stands in for it."""

    url: str = "https://github.test/_services/token"
    keys: list[int] = field(default_factory=lambda: [0])
    given: list[str] = field(default_factory=list)
    now: Callable[[], float] = time.time

    def rotate(self, *, keep: bool = True) -> None:
        """Sign with a new key; the keys before stay published with `keep`, as they do for a while on GitHub."""
        self.keys = [*(self.keys if keep else ()), self.keys[-1] + 1]

    def configuration(self) -> dict[str, Any]:
        """What stands at `/.well-known/openid-configuration`."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": list(SUPPORTED),
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }

    def jwks(self) -> dict[str, Any]:
        """What stands at `/.well-known/jwks`."""
        return {"keys": [self._jwk(number) for number in self.keys]}

    def _jwk(self, number: int) -> dict[str, str]:
        numbers = _key(number).public_key().public_numbers()
        n, e = (_encoded(i.to_bytes((i.bit_length() + 7) // 8, "big")) for i in (numbers.n, numbers.e))
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": _kid(number), "n": n, "e": e}

    def claims(self, repository: Repository, run: Run, audience: str, called: str = "") -> dict[str, Any]:
        """What GitHub says of a job of this run. `called`: the job_workflow_ref of a called workflow."""
        now, ref = int(self.now()), f"refs/heads/{run.head_branch}"
        workflow = f"{run.repository}/{run.path}@{ref}"
        place = environment(run)
        owner = str(int(sha1("owner", repository.owner)[:7], 16))
        subject = f"environment:{place}" if place else f"ref:{ref}"
        return {
            "jti": str(uuid.uuid4()),
            "sub": f"repo:{run.repository}:{subject}",
            "aud": audience,
            "ref": ref,
            "sha": run.head_sha,
            "repository": run.repository,
            "repository_owner": repository.owner,
            "repository_owner_id": owner,
            "run_id": str(run.id),
            "run_number": str(run.number),
            "run_attempt": str(run.attempt),
            "repository_visibility": "private" if repository.private else "public",
            "repository_id": str(repository.id),
            "actor_id": str(int(sha1("actor", run.actor)[:7], 16)),
            "actor": run.actor,
            "workflow": run.workflow,
            "head_ref": "",
            "base_ref": "",
            "event_name": run.event,
            "ref_protected": "false",
            "ref_type": "branch",
            "workflow_ref": workflow,
            "workflow_sha": run.head_sha,
            "job_workflow_ref": called or workflow,
            "job_workflow_sha": run.head_sha,
            "runner_environment": "github-hosted",
            **({"environment": place} if place else {}),
            "iss": self.url,
            "nbf": now - BACKDATED,
            "exp": now + LIFE,
            "iat": now,
        }

    def signed(self, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
        """A token with these claims, signed with the newest key."""
        number = self.keys[-1]
        head = {"typ": "JWT", "alg": "RS256", "x5t": _kid(number)[:27], "kid": _kid(number)} | (header or {})
        text = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
        signature = _key(number).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{text}.{_encoded(signature)}"
        self.given.append(token)
        return token


def called_workflow(repository: Repository, run: Run, uses: str) -> str:
    """The job_workflow_ref of a job whose workflow calls another one by `uses`; empty where it calls none."""
    if uses.startswith(("$/", "./")):
        return f"{repository.full_name}/{uses[2:]}@refs/heads/{run.head_branch}"
    return uses.partition(" ")[0]


def request_url(base: str, run: Run) -> str:
    """What the runner puts into ACTIONS_ID_TOKEN_REQUEST_URL; the audience is added to it."""
    return f"{base}{PLACE}/runs/{run.id}/idtoken?api-version=2.0"


def request_token(run: Run) -> str:
    """What the runner puts into ACTIONS_ID_TOKEN_REQUEST_TOKEN: good for this attempt of this run."""
    return f"runner-{sha1('runner', str(run.id), str(run.attempt))}"


def _kid(number: int) -> str:
    found = _key(number).public_key().public_numbers().n
    return str(uuid.UUID(bytes=hashlib.sha256(str(found).encode()).digest()[:16]))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
