"""Who is one of us: members of the app's own workspace (or of its organization), and nobody else.

Guests, bots, people who left, and people of other workspaces in a shared channel are refused everywhere: each command,
button and modal asks here. What Slack said of a person is kept in the table, so that a click costs no call of Slack's,
and holds for a day while Slack does not answer. Nobody is let in because something could not be read. Names stay as
long as the pages of deployments that show them.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from chatops import aws, clock
from chatops.domain import page_link
from chatops.domain.errors import Refusal, SlackRefused, SlackUnavailable
from chatops.settings import secrets
from chatops.slack import people
from chatops.slack.people import Excluded, Workspace
from chatops.store.table import Table

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

FRESH, HOLDS = 600, 86_400
"""Seconds for which what Slack said is not asked again, and for which it counts where Slack does not answer."""
_TEXTS: dict[Excluded, TextKey] = {
    "guest": "excluded_guest",
    "bot": "excluded_bot",
    "gone": "excluded_gone",
    "stranger": "excluded_stranger",
}
_MEMBER = "member"
_workspaces: dict[str, Workspace] = {}


def check(rows: Table, user: str, team: str = "", enterprise: str = "", *, patience: float = 1.0) -> None:
    """Raises Refusal unless the user is a member; also where that cannot be read. `team`, `enterprise`: where the
    request says that they come from. `patience`: of the timeouts of Slack's calls."""
    try:
        found = standing(rows, user, team, enterprise, patience=patience)
    except (SlackUnavailable, SlackRefused) as error:
        raise Refusal("excluded_unreadable", said=error.reason) from None
    refuse(found)


def refuse(found: Excluded | None) -> None:
    """Raises Refusal for somebody who is no member."""
    if found:
        raise Refusal(_TEXTS[found])


def standing(rows: Table, user: str, team: str = "", enterprise: str = "", *, patience: float = 1.0) -> Excluded | None:
    """Why the user is nobody here; None for a member. Raises SlackUnavailable or SlackRefused where Slack does not say,
    and has not said for a day."""
    if said_foreign(team, enterprise):
        return "stranger"
    known = rows.get(f"PERSON#{user}", "STANDING") or {}
    age = clock.now() - float(known.get("at") or 0)
    if known and age < FRESH:
        return _read(str(known["standing"]))
    try:
        found = people.person(user, _workspace(rows, patience), patience=patience)
    except (SlackUnavailable, SlackRefused):
        if known and age < HOLDS:
            return _read(str(known["standing"]))
        raise
    _keep(rows, f"PERSON#{user}", "STANDING", standing=found.excluded or _MEMBER, name=found.name)
    return found.excluded


def said_foreign(team: str, enterprise: str = "") -> bool:
    """True if this team is not the app's own, as far as this process knows it; asks nobody."""
    own = _workspaces.get(_mark())
    return bool(team and own and not own.holds(team, enterprise))


def _read(kept: str) -> Excluded | None:
    return None if kept == _MEMBER else cast(Excluded, kept)


def _mark() -> str:
    """Identifies the bot's token: another one may be another workspace's."""
    return hashlib.sha256(secrets.required(secrets.SLACK_BOT_TOKEN).encode()).hexdigest()[:16]


def _workspace(rows: Table, patience: float) -> Workspace:
    """The app's own. Raises SlackUnavailable or SlackRefused where Slack has never said."""
    mark = _mark()
    if mark in _workspaces:
        return _workspaces[mark]
    kept = rows.get(f"WORKSPACE#{mark}", "WORKSPACE") or {}
    own = Workspace(str(kept.get("team") or ""), str(kept.get("enterprise") or ""))
    if not own.team:
        own = people.workspace(patience=patience)
        _keep(rows, f"WORKSPACE#{mark}", "WORKSPACE", team=own.team, enterprise=own.enterprise)
    _workspaces[mark] = own
    return own


def _keep(rows: Table, pk: str, sk: str, **found: str) -> None:
    now = clock.now()
    values = {**found, "at": now, "expires_at": int(now) + page_link.LIFE}
    with suppress(*aws.failures()):  # it is asked again
        rows.update(pk, sk, "SET " + ", ".join(f"#{name} = :{name}" for name in values), values=values)
