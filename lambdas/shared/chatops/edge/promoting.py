"""The buttons at a rollout's pause: Promote and Roll back. The click records the decision; the token only wakes."""

from __future__ import annotations

import re

from chatops import clock, deadline
from chatops.edge import cancelling
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import refused
from chatops.ids import EXECUTION_NAME
from chatops.messages.catalogue import Markup, duration, escape, plain, say
from chatops.messages.who import people
from chatops.store import approvals, deployments, pauses, waits
from chatops.store.table import Item, Table, table
from chatops.targets import targets

ACTIONS = {"promote": "promoted", "pause_roll_back": "rolled_back"}
_MARK = re.compile(r"[0-9a-f]{12}")


def press(action: str, value: str, user: str, channel: str) -> str:
    """Record this person's decision about exactly the pause that the button names; the words for them."""
    deployment_id, _, mark = value.partition("/")
    if not (EXECUTION_NAME.fullmatch(deployment_id) and _MARK.fullmatch(mark)):
        return refused("click_unknown")  # our buttons carry ids
    rows, decision = table(patience=PATIENCE), ACTIONS[action]
    said = obstacle(rows, deployment_id, mark, decision, user, channel)
    return said or decide(rows, deployment_id, mark, decision, user)


def decide(rows: Table, deployment_id: str, mark: str, decision: str, by: str, via: str = "slack") -> str:
    """Record it, by whoever may, and wake the execution; a refusal where somebody was before."""
    row = pauses.decide(rows, deployment_id, mark, decision, by, via)
    if (row.get("decision"), row.get("by")) != (decision, by):
        return closed(rows, deployment_id, deployments.get(rows, deployment_id), row)
    said = say("click_promoted" if decision == "promoted" else "click_pause_rolled_back", id=deployment_id)
    deadline.recorded(said)
    waits.nudge(rows, deployment_id, patience=PATIENCE)
    return said


def obstacle(rows: Table, deployment_id: str, mark: str, decision: str, user: str, channel: str) -> str:
    """Why this user's press decides nothing, in words; nothing if it may."""
    record, row = deployments.get(rows, deployment_id), pauses.get(rows, deployment_id, mark)
    said = closed(rows, deployment_id, record, row)
    if said or record is None or row is None:
        return said
    plan, eligible = record["plan"], list(row.get("eligible") or [])
    requester = str((plan.get("requester") or {}).get("id", ""))
    if decision == "promoted" and user not in eligible:
        own = user == requester and cancelling.may_cancel(targets().get(plan["target"]), {}, user)
        return refused("click_promote_own" if own else "click_not_promoter", id=deployment_id, people=people(eligible))
    # taking it back is a cancel: whoever may cancel may do it
    may = user in eligible or cancelling.may_cancel(targets().get(plan["target"]), plan, user)
    if decision == "rolled_back" and not may:
        return refused("click_not_your_pause", id=deployment_id, people=people(eligible), user=requester)
    if channel and plan.get("channel") and channel != plan["channel"]:
        return refused("click_wrong_channel", id=deployment_id)
    return ""


def closed(rows: Table, deployment_id: str, record: Item | None, row: Item | None) -> str:
    """Why nobody can decide about this pause (any more), in words; nothing while it is open."""
    if record is None or row is None:
        return refused("click_unknown")
    if decision := str(row.get("decision") or ""):
        ago = duration(clock.now() - float(row["decided_at"]))
        if decision in ("expired", "passed"):
            return refused(f"click_pause_{decision}", id=deployment_id, ago=ago)
        done = Markup(escape(plain(f"decision_{decision}")))
        return refused("click_already", id=deployment_id, by=row["by"], decision=done, ago=ago)
    if ended := deployments.outcome(record):
        return refused("click_expired", id=deployment_id, end=ended["end"])
    if cancel := approvals.cancelled(rows, deployment_id):
        return refused("click_cancelled", id=deployment_id, by=cancel["by"])
    if (late := clock.now() - float(row["deadline_at"])) >= 0:
        return refused("click_pause_expired", id=deployment_id, ago=duration(late))
    return ""
