"""The four figures of a team's delivery, from one deployment's results; pure. Frequency is the count of `ChangesMade`.

https://dora.dev/guides/dora-metrics/ says what they mean. Here a change is a deployment whose deploy stage went ahead.
"""

from __future__ import annotations

from datetime import datetime

from chatops.domain.deployment import Deployment
from chatops.domain.plan import Plan

_BROKE = ("Rolled Back", "Rollback Failed", "Deploy Failed")


def of(end: str, deployment: Deployment, touched_at: float, now: float) -> dict[str, float]:
    """Metrics by name, seconds and counts. `touched_at`: when the deploy stage began, 0 where that is not known.

    A person's cancel is neither a success nor a failure. A command that puts a release back makes the change that it
    takes away a failed one, and the restore is timed from the command on: nobody told us when the trouble began.
    """
    plan, deploy = deployment.plan, deployment.deploy
    if plan.command == "rollback":
        restored = {"ChangesFailed": 1.0, "TimeToRestore": now - (plan.started_at or now)}
        return restored if end == "Restored" else {}
    if end == "Deployed":
        return {"ChangesMade": 1.0, "ChangesFailed": 0.0, **_lead_time(plan, now)}
    if end not in _BROKE or not (deploy.claimed or deploy.state == "succeeded"):
        return {}
    made = {"ChangesMade": 1.0, "ChangesFailed": 1.0}
    return {**made, "TimeToRestore": now - touched_at} if end == "Rolled Back" and touched_at else made


def _lead_time(plan: Plan, now: float) -> dict[str, float]:
    """From the commit to its being live. A plan without the commit's time (made before it was kept) has none."""
    try:
        committed = datetime.fromisoformat(plan.committed_at)
    except ValueError:
        return {}
    return {"LeadTime": now - committed.timestamp()} if committed.tzinfo else {}
