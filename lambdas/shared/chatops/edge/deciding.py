"""The approval's buttons: who may decide now, and what is recorded. The click records; the token only wakes."""

from __future__ import annotations

from chatops import clock, deadline
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import refused
from chatops.messages.catalogue import Markup, duration, escape, plain, say
from chatops.messages.who import people
from chatops.store import approvals, deployments, waits
from chatops.store.table import Item, Table, table
from chatops.targets import targets


def approve(deployment_id: str, user: str, channel: str) -> str:
    """Count the approval; words for the user where there is something to say."""
    rows = table(patience=PATIENCE)
    if said := obstacle(rows, deployment_id, user, channel):
        return said
    row = approvals.vote(rows, deployment_id, user)
    return _after(rows, deployment_id, row, user, "approved")


def reject(deployment_id: str, user: str, reason: str) -> str:
    """Record the rejection; words for the user where there is something to say."""
    rows = table(patience=PATIENCE)
    if said := obstacle(rows, deployment_id, user, ""):
        return said
    row = approvals.decide(rows, deployment_id, "rejected", user, reason)
    return _after(rows, deployment_id, row, user, "rejected")


def obstacle(rows: Table, deployment_id: str, user: str, channel: str) -> str:
    """Why this user's click decides nothing, in words; nothing if it may."""
    record, row = deployments.get(rows, deployment_id), approvals.get(rows, deployment_id)
    said = closed(rows, deployment_id, record, row)
    if said or record is None or row is None:
        return said
    plan = record["plan"]
    asked = people(list(row.get("eligible") or []))
    if not approvals.may_decide(row, user):
        own = user == (plan.get("requester") or {}).get("id")
        approver = own and user in (targets()[plan["target"]].policy.approvers if plan["target"] in targets() else ())
        return refused("click_own" if approver else "click_not_asked", id=deployment_id, people=asked)
    if channel and plan.get("channel") and channel != plan["channel"]:
        return refused("click_wrong_channel", id=deployment_id)
    return ""


def closed(rows: Table, deployment_id: str, record: Item | None, row: Item | None) -> str:
    """Why nobody can decide this (any more), in words; nothing while it is open."""
    if record is None:
        return refused("click_unknown")
    if said := _already(deployment_id, record, row):
        return said
    if row is None:
        return refused("click_unknown")
    if cancel := approvals.cancelled(rows, deployment_id):
        return refused("click_cancelled", id=deployment_id, by=cancel["by"])
    if (late := clock.now() - float(row["deadline_at"])) >= 0:
        return refused("click_already_expired", id=deployment_id, ago=duration(late))
    return ""


def _already(deployment_id: str, record: Item, row: Item | None) -> str:
    """Who decided, and when; or that the deployment has ended otherwise."""
    if row and row.get("decision"):
        ago = duration(clock.now() - float(row["decided_at"]))
        if row["decision"] == "expired":
            return refused("click_already_expired", id=deployment_id, ago=ago)
        decided = Markup(escape(plain(f"decision_{row['decision']}")))
        return refused("click_already", id=deployment_id, by=row["by"], decision=decided, ago=ago)
    if ended := deployments.outcome(record):
        return refused("click_expired", id=deployment_id, end=ended["end"])
    return ""


def _after(rows: Table, deployment_id: str, row: Item, user: str, wanted: str) -> str:
    decision = row.get("decision")
    mine = decision == wanted and (row.get("by") == user or (wanted == "approved" and user in (row.get("votes") or {})))
    if not decision and (wanted != "approved" or user not in row["votes"]):
        return closed(rows, deployment_id, deployments.get(rows, deployment_id), row)  # ended or cancelled meanwhile
    if not decision:
        said = say("click_counted", id=deployment_id, have=len(row["votes"]), want=row["quorum"])
    else:
        said = say(f"click_{wanted}", id=deployment_id) if mine else _already(deployment_id, {}, row)
    deadline.recorded(said)
    waits.nudge(rows, deployment_id, patience=PATIENCE)  # also for a vote: the card shows how many have said yes
    return said
