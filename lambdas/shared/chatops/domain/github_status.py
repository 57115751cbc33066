"""Which status a GitHub Deployment has, as follows from what its deployment is; pure.

https://docs.github.com/rest/deployments/statuses#create-a-deployment-status
"""

from __future__ import annotations

from chatops.domain.record import Record

FINAL = frozenset({"success", "failure", "error", "inactive"})
"""States after which the bot writes no other one; GitHub makes a replaced deployment's `success` `inactive` itself."""
_BROKE = frozenset({"Rolled Back", "Build Failed", "Deploy Failed", "Rollback Failed"})


def state(record: Record, *, waits_for_people: bool) -> str:
    """GitHub's name of it. `waits_for_people`: an approval is wanted and has not been given.

    `error`: it ended before it changed anything (rejected, expired, cancelled, refused), or from outside. `inactive`:
    it ran, and people have put the release before back.
    """
    end = record.outcome.end
    if not end:
        return "queued" if waits_for_people else "in_progress"
    if end == "Deployed" or (end == "Restored" and record.plan.command == "rollback"):
        return "success"
    if end == "Restored":
        return "inactive"
    return "failure" if end in _BROKE else "error"
