"""Is the personal token valid, for how long, and what is left of its hour?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from doctor.clients import Answer
from doctor.installation import Installation
from doctor.result import Result, failed, ok, skipped, warning

EXPIRES = "github-authentication-token-expiration"
SOON = 14 * 86_400.0
"""Seconds before its end at which a token is worth a warning."""

LINK = "https://github.com/settings/tokens"
_NEW = (
    "Make a new one (classic with the scope repo, or fine-grained with Contents: read and write and Actions: read and "
    "write) and put it into GITHUB_PERSONAL_ACCESS_TOKEN."
)
_FEW = 100


def scopes(answer: Answer) -> frozenset[str] | None:
    """A classic token's scopes, which stand on every answer; None for every other kind of token.

    https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
    """
    found = answer.headers.get("X-OAuth-Scopes")
    return None if found is None else frozenset(part.strip() for part in found.split(",") if part.strip())


def look(installation: Installation, _: str) -> Iterator[Result]:
    """The token's kind and end. `GET /rate_limit` wants no permission and costs nothing."""
    if installation.settings.github_app_id:
        yield skipped("Not used: a GitHub App acts instead of it.")
        return
    answer = installation.github.get("/rate_limit")
    if answer.status != 200:
        yield failed(
            f"GitHub refuses GITHUB_PERSONAL_ACCESS_TOKEN ({answer.status}: {answer.said}).",
            "No run can be started or watched; each deployment ends in Refused.",
            f"It was revoked, has expired, or was copied incompletely. {_NEW}",
            LINK,
        )
        return
    granted = scopes(answer)
    if granted is not None and not granted & {"repo", "public_repo"}:
        yield failed(
            f"The classic token has the scopes {', '.join(sorted(granted)) or '(none)'}; it needs repo.",
            "GitHub shows it no private repository and answers 404 to the event; no run starts.",
            "Add the scope repo on the token's page (workflow is not needed; public_repo is enough for public "
            "repositories), or use a fine-grained token with Contents and Actions: read and write.",
            LINK,
        )
        return
    kind = (
        "a fine-grained token" if granted is None else f"a classic token ({', '.join(sorted(granted)) or 'no scope'})"
    )
    yield from _age(installation, answer, kind)
    yield from _left(answer)


def _age(installation: Installation, answer: Answer, kind: str) -> Iterator[Result]:
    ends = _end(answer.headers.get(EXPIRES, ""))
    if ends is None:
        yield ok(f"GitHub knows it: {kind}, without an end.")
    elif (left := ends - installation.now()) < SOON:
        yield warning(
            f"GitHub knows it: {kind}; it ends in {max(int(left // 86_400), 0)} days, on {_day(ends)}.",
            "From then on no run can be started, and each deployment ends in Refused.",
            _NEW,
            LINK,
        )
    else:
        yield ok(f"GitHub knows it: {kind}, good until {_day(ends)}.")


def _left(answer: Answer) -> Iterator[Result]:
    rate = answer.json.get("rate") if isinstance(answer.json, dict) else None
    if isinstance(rate, dict) and rate.get("remaining", _FEW) < _FEW:
        yield warning(
            f"{rate['remaining']} of {rate['limit']} requests are left until {_day(rate['reset'], clock=True)}.",
            "Deployments wait until then; all tokens of one user share the limit.",
            "Give the bot a user of its own, or use a GitHub App, whose limit is its own.",
            "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
        )


def _end(text: str) -> float | None:
    """Epoch seconds of `2026-12-24 09:00:00 UTC` or `… +0900`."""
    for form in ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S %z"):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is set below where the form has none
        except ValueError:
            continue
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None


def _day(seconds: float, *, clock: bool = False) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M UTC" if clock else "%Y-%m-%d")
