"""The issuer's endpoints, which need no token of GitHub's: its configuration, its keys, and a job's own tokens.

https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-cloud-providers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request

from fakes.github.errors import ApiError
from fakes.github.oidc import PLACE, request_token
from fakes.github.reply import reply

if TYPE_CHECKING:
    from fakes.github.github import GitHub


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""

    @app.get(f"{PLACE}/.well-known/openid-configuration")
    def openid_configuration() -> Response:
        return reply(github.oidc.configuration())

    @app.get(f"{PLACE}/.well-known/jwks")
    def jwks() -> Response:
        return reply(github.oidc.jwks())

    @app.get(f"{PLACE}/runs/<int:run_id>/idtoken")
    def idtoken(run_id: int) -> Response:
        run = next((one for one in github.runs if one.id == run_id), None)
        if run is None or request.headers.get("Authorization", "").lower() != f"bearer {request_token(run)}":
            raise ApiError(401)
        audience = request.args.get("audience") or f"https://github.com/{run.repository.partition('/')[0]}"
        return reply({"count": len(github.oidc.given) + 1, "value": github.id_token(run, audience)})
