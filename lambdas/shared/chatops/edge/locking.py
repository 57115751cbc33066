"""`lock` and `unlock`: a target takes no deployments until a person says so. Recorded at once, for everybody to read.

Whoever may deploy to the target, and its approvers, may lock it. Whoever has locked it, and its approvers, may unlock
it or lock it otherwise; where the target names no approvers, so may whoever may deploy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain import freeze
from chatops.domain.command_text import Command
from chatops.domain.errors import Refusal
from chatops.domain.freeze import Freeze, Lock
from chatops.domain.ids import deployment_id as id_of
from chatops.domain.record import PastLock
from chatops.domain.target import Target
from chatops.edge import PATIENCE
from chatops.messages.catalogue import Markup, say
from chatops.network import deadline
from chatops.observability import logger
from chatops.settings.targets import targets
from chatops.slack import approvers
from chatops.store import deliveries, freezes
from chatops.store.table import Conflict, Table, table

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_TRIES = 3


def by_command(form: Mapping[str, str], asked: Command) -> str:
    """Lock or unlock the target; the text for everybody. Raises Refusal."""
    rows, target, user = table(patience=PATIENCE), targets()[asked.target], form["user_id"]
    delivery = id_of(form.get("team_id", ""), form["trigger_id"])
    for _ in range(_TRIES):
        if told := deliveries.told(rows, delivery):
            return told  # a copy: it must not lock what somebody has unlocked since
        try:
            text = _change(rows, target, user, asked, delivery)
        except Conflict:
            continue
        logger.info("target locked by hand" if asked.action == "lock" else "target unlocked", target=target.name)
        return deadline.recorded(text)
    raise Refusal("locked_meanwhile", target=target.name)


def _change(rows: Table, target: Target, user: str, asked: Command, delivery: str) -> str:
    """Raises Conflict where somebody else changes it at the same moment, or for a copy of the delivery."""
    seen, now = freezes.lock_of(rows, target.name), clock.now()
    before = seen if seen and seen.holds(now) else None
    if asked.action == "lock":
        new, text = _locked(target, user, asked, before, now)
        until = clock.iso(new.until) if new.until else ""
        past = PastLock("locked", user, asked.reason, until, clock.iso(now))
    else:
        new, text = _unlocked(rows, target, user, before, now)
        past = PastLock("unlocked", user, at=clock.iso(now))
    freezes.write(rows, target.name, replace(new, mark=delivery), seen, past, text)
    return text


def _locked(target: Target, user: str, asked: Command, before: Lock | None, now: float) -> tuple[Lock, str]:
    if not (_is_approver(target, user) or _may_deploy(target, user)):
        raise Refusal("lock_not_you", target=target.name)
    if before:
        _assert_may_unlock(target, user, before)
    until = now + asked.seconds if asked.seconds else None
    key: TextKey = "locked" if until else "locked_open"
    values = {"user": user, "target": target.name, "reason": asked.reason, "until": clock.iso(until or 0)}
    replaces = Markup(f" {say('locked_before', by=before.by)}") if before else ""
    return Lock(user, asked.reason, now, until), say(key, values, replaces=replaces)


def _unlocked(rows: Table, target: Target, user: str, before: Lock | None, now: float) -> tuple[Lock, str]:
    if before is None:
        found = freezes.holding(rows, target)
        raise Refusal("not_locked", target=target.name, freeze=found.sentence(target.name) if found else None)
    _assert_may_unlock(target, user, before)
    left = freeze.holding(target.freeze, now)
    still = left.sentence(target.name) if left else None
    text = say("unlocked_frozen" if left else "unlocked", user=user, target=target.name, freeze=still)
    return replace(before, until=now), text


def _assert_may_unlock(target: Target, user: str, lock: Lock) -> None:
    """Raises Refusal. Locking it again is no way around: a lock of a minute would end somebody else's."""
    if user == lock.by or _is_approver(target, user):
        return
    named = target.policy.approvers or target.policy.approver_groups
    if not named and _may_deploy(target, user):
        return
    held = Freeze(lock.until, lock.reason, lock.by)
    raise Refusal("unlock_not_you", target=target.name, by=lock.by, freeze=held.sentence(target.name))


def _is_approver(target: Target, user: str) -> bool:
    return approvers.is_named(target.policy, user, patience=PATIENCE)


def _may_deploy(target: Target, user: str) -> bool:
    return approvers.may_ask(target.policy, user, patience=PATIENCE)
