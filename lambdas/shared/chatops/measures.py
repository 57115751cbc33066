"""The four figures of a team's delivery, from one deployment's facts; pure. Frequency is the count of `ChangesMade`.

https://dora.dev/guides/dora-metrics/ says what they mean. Here a change is a deployment whose deploy stage went ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_BROKE = ("Rolled Back", "Rollback Failed", "Deploy Failed")


def of(end: str, facts: Mapping[str, Any], touched_at: float, now: float) -> dict[str, float]:
    """Metrics by name, seconds and counts. `touched_at`: when the deploy stage began, 0 where that is not known.

    A person's cancel is neither a success nor a failure. A command that puts a release back makes the change that it
    takes away a failed one, and the restore is timed from the command on: nobody told us when the trouble began.
    """
    plan: Mapping[str, Any] = facts.get("plan") or {}
    if plan.get("command") == "rollback":
        restored = {"ChangesFailed": 1.0, "TimeToRestore": now - float(plan.get("started_at") or now)}
        return restored if end == "Restored" else {}
    if end == "Deployed":
        return {"ChangesMade": 1.0, "ChangesFailed": 0.0, **_lead_time(plan, now)}
    if end not in _BROKE or not _went_ahead(facts.get("deploy") or {}):
        return {}
    made = {"ChangesMade": 1.0, "ChangesFailed": 1.0}
    return {**made, "TimeToRestore": now - touched_at} if end == "Rolled Back" and touched_at else made


def _went_ahead(deploy: Mapping[str, Any]) -> bool:
    return bool(deploy.get("claimed")) or deploy.get("state") == "succeeded"


def _lead_time(plan: Mapping[str, Any], now: float) -> dict[str, float]:
    """From the commit to its being live. A plan without the commit's time (made before it was kept) has none."""
    try:
        committed = datetime.fromisoformat(str(plan.get("committed_at") or ""))
    except ValueError:
        return {}
    return {"LeadTime": now - committed.timestamp()} if committed.tzinfo else {}
