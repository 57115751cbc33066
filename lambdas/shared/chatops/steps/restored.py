"""restored: does the recorded release run again, as its platform reports; observed once."""

from __future__ import annotations

from dataclasses import replace

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.reason import Cause, Reason
from chatops.domain.results import RolloutResult, StageResult
from chatops.domain.target import Target
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import RolloutState
from chatops.settings.targets import targets
from chatops.steps import stage_run
from chatops.steps.rollout import OPEN, kept, news, pace
from chatops.store import results, stages, wakeups
from chatops.store.table import table


def observe(deployment: Deployment, platform_of: PlatformOf = platform) -> RolloutResult:
    """The result of what is being put back: `state`, `done`, `why`, counts. `state` is `again` where Restore Service is
    to be called once more; never twice without a wait between."""
    now, wake = clock.now(), wakeups.counter(table(), deployment.id)
    before, target = deployment.restored, targets()[deployment.plan.target]
    on = platform_of(target)
    found = on.restored(deployment)
    overtaken = deployment.restore.how == "overtaken"
    if overtaken:
        found = replace(found, state=RolloutState.OVERTAKEN, why=None)
    began, limit = before.began_at or now, target.timing.restore + found.baking
    beside = _Beside(deployment.id, target, now) if deployment.stop.unconfirmed and not on.pipeline_only else None
    again = pace(target.timing, now - began, max(limit, target.timing.deploy) if beside else limit)
    result = replace(found.result(), began_at=began, done=found.state not in OPEN, wake=wake, wait_seconds=again)
    if found.why:
        result = replace(result, why=Cause(found.why))
    elif found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        result = replace(result, why=Cause(Reason("why_restore_failed", status=found.status, said=said)))
    elif found.state is RolloutState.OVERTAKEN and beside and overtaken and beside.goes_on():
        # whatever that run still changes is put back; whose release runs is asked once a wait
        result = replace(result, state="moving" if before.state == "again" else "again", done=False)
    elif found.state is RolloutState.OVERTAKEN and beside and not overtaken and not beside.late:
        result = replace(result, state="again", done=False)  # by the run that could not be stopped
    elif found.state is RolloutState.OVERTAKEN:
        result = replace(result, why=Cause(Reason("why_restore_overtaken")))
    elif found.state in OPEN and now - began >= limit:
        late = Cause(Reason("why_restore_late", seconds=limit))
        result = replace(result, state="timed_out", done=True, why=late)
    elif found.state is RolloutState.MOVING and before.state == "moving" and on.restores_again(deployment, found):
        result = replace(result, state="again")
    elif found.state is RolloutState.HEALTHY and beside and beside.goes_on():
        result = replace(result, state="moving", done=False)
    return kept(deployment.id, "restored", news(deployment.id, result, before, target), before)


class _Beside:
    """A deploy run that could not be stopped and may still change the service. It is watched until it has ended, at
    most until its stage's deadline (`late`)."""

    def __init__(self, deployment_id: str, target: Target, now: float) -> None:
        self._deployment_id, self._target = deployment_id, target
        self._row = stages.get(table(), deployment_id, "deploy")
        began = self._row.began_at if self._row else now
        self.late = now >= began + target.timing.deploy

    def goes_on(self) -> bool:
        """Whether it is still to be waited for; once it has ended, that is kept for `settle`."""
        if self.late or stage_run.may_go_on(self._target, self._deployment_id, "deploy", self._row):
            return not self.late
        known = results.get(table(), self._deployment_id, "deploy", StageResult)
        results.keep(table(), self._deployment_id, "deploy", replace(known, done=True, unconfirmed=False), known)
        return False
