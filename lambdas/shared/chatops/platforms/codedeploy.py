"""Targets that AWS CodeDeploy deploys to. It puts a release back by deploying its revision once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Refusal, ServiceRefused
from chatops.domain.reason import Reason
from chatops.domain.release import Release
from chatops.domain.results import Restore, RolloutResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms import codedeploy_verdict as verdict
from chatops.platforms.codedeploy_group import Group, GroupBusy
from chatops.platforms.platform import Texts
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_SKEW = 300
"""Seconds by which CodeDeploy's clock and ours may differ."""
_COMPARED = 10
"""Of the ledger's releases, the newest ones: their revisions are compared with what runs where its id isn't known."""


@dataclass(frozen=True)
class CodeDeploy:
    """A release is the revision of one of the group's deployments, whose own status says how its rollout stands."""

    target: Target

    kind: ClassVar[str] = "codedeploy"
    pipeline_only: ClassVar[bool] = False
    client: ClassVar[str] = "codedeploy"
    lists_lag: ClassVar[bool] = False
    texts: ClassVar[Texts] = Texts("why_no_deployment", "line_own_rollback", "status_drift_codedeploy")

    @property
    def _group(self) -> Group:
        return Group(self.target)

    def live(self, ledger: Sequence[Release]) -> Release | None:
        """What the group's last good deployment brought. One that brought a recorded revision once more, by somebody's
        hand or CodeDeploy's own, has the record's name. Raises Refusal."""
        try:
            last = self._group.attempts().good
            if not last:
                return None
            known = next((r for r in ledger if r.codedeploy_deployment_id == last), None)
            if known:
                return known
        except ServiceRefused as error:
            raise Refusal("group_missing", said=error.reason, target=self.target.name) from None
        found = self._group.get(last)
        at = clock.iso(found.created_at)
        return self._again(found, ledger) or Release(last, codedeploy_deployment_id=last, verified_at=at)

    def _again(self, found: verdict.Deployment, ledger: Sequence[Release]) -> Release | None:
        asked: set[str] = set()
        for each in ledger:
            recorded = each.codedeploy_deployment_id
            if recorded and recorded not in asked and len(asked) < _COMPARED:
                asked.add(recorded)
                if self._brought(recorded, found):
                    return each
        return None

    def _brought(self, recorded: str, found: verdict.Deployment) -> bool:
        try:
            return verdict.same(self._group.get(recorded).revision, found.revision)
        except ServiceRefused:
            return False

    def usable(self, release: Release) -> bool:
        """CodeDeploy says so only when it is asked to deploy it."""
        return True

    def architecture(self, release: Release) -> str:
        """The AppSpec's task definition says so, which isn't looked up."""
        return ""

    def drifted(self, recorded: Release, running: Release) -> bool:
        """By version."""
        return recorded.version != running.version

    def status(self) -> RolloutResult:
        """The group's last deployment."""
        try:
            tried = self._group.attempts().tried
            last = self._group.get(tried) if tried else None
        except ServiceRefused:
            return RolloutResult()
        if last is None:
            return RolloutResult()
        return RolloutResult(status=last.status, running=last.done, desired=last.instances, pending=last.pending)

    def names(self) -> Mapping[str, str]:
        """Its application and group."""
        return {"application": self.target.codedeploy_application, "group": self.target.codedeploy_group}

    def reported(self, deployment: Deployment) -> Outputs:
        """The stage's run may have ended between CreateDeployment and its last step; then the deployment is found by
        its description."""
        outputs = deployment.deploy.outputs or Outputs()
        if outputs.codedeploy_deployment_id or not self.target.claim:
            return outputs
        found = verdict.named(self._group.since(deployment.plan.started_at), deployment.id)
        return replace(outputs, codedeploy_deployment_id=found.id) if found else outputs

    def begun(self, since: float) -> Outputs:
        """The newest deployment since then that CodeDeploy did not make of its own accord."""
        found = verdict.brought(self._group.since(since))
        return Outputs(codedeploy_deployment_id=found.id) if found else Outputs()

    def rollout(self, deployment: Deployment, outputs: Outputs) -> Rollout | None:
        """By the id of CodeDeploy's deployment."""
        ours, back = outputs.codedeploy_deployment_id, deployment.plan.previous
        return self._rollout(ours, back.codedeploy_deployment_id if back else "") if ours else None

    def _rollout(self, deployment_id: str, good: str = "") -> Rollout:
        """`good`: the deployment that is recorded as the way back."""
        group = self._group
        ours = group.get(deployment_id)
        newer = group.newer(ours) if ours.ended else []
        wanted = None
        if good and any(each.is_rollback_of(ours) for each in newer):
            try:
                wanted = group.get(good).revision
            except ServiceRefused:
                wanted = None  # whether CodeDeploy's own rollback leads there is not known
        found = verdict.verdict(ours, newer, wanted)
        if ours.ended or ours.platform == "Server" or ours.status in ("Created", "Queued"):
            return found
        stage, share = group.traffic(ours)
        baking = found.baking + (group.shifting(ours) if ours.config else 0)
        return replace(found, lifecycle_stage=found.lifecycle_stage or stage, traffic=share, baking=baking)

    def restore(self, deployment: Deployment) -> Restore:
        """`how` it is being put back, and by which deployment.

        - `codedeploy`: by one of ours; whatever became of it, a second call finds it and makes no other.
        - `codedeploy_rollback`: by CodeDeploy's own rollback of what we began, to the same revision.
        - `unchanged`: the group's last attempt was good and brought just that.
        - `waiting`: not yet, a group deploys one at a time; what we began has been asked to stop.
        - `untouched`, `overtaken`: not at all, we began nothing, or somebody has deployed something else since. (Whose
          a deployment is isn't known of a pipeline that doesn't claim its stages.)
        """
        group, back = self._group, deployment.plan.previous
        if back is None or not back.codedeploy_deployment_id:
            raise ServiceRefused("codedeploy_no_record")
        good = group.get(back.codedeploy_deployment_id)
        recent = group.since(deployment.plan.started_at - _SKEW)
        mark = f"platform-deploy {deployment.id} restore"
        if ours := verdict.newest([each for each in recent if each.description == mark]):
            return self._by("codedeploy", ours)
        last = group.attempts()
        began = begun(deployment, recent)
        if left := self._left_alone(deployment, began, recent, good, last.good):
            return left
        if began and not began.ended:
            leads_there = bool(last.good) and verdict.same(group.get(last.good).revision, good.revision)
            group.stop(began.id, roll_back=leads_there)
            return Restore("waiting", at=clock.now(), behind=began.id)
        if began and (rollback := _own_rollback(began, recent, good)):
            return self._by("codedeploy_rollback", rollback)
        if last.good and last.good == last.tried and verdict.same(group.get(last.good).revision, good.revision):
            return Restore("unchanged", codedeploy_deployment_id=last.good)
        try:
            return Restore("codedeploy", codedeploy_deployment_id=group.deploy_again(good, mark))
        except GroupBusy:
            return Restore("waiting", at=clock.now(), behind=last.tried)

    def _left_alone(
        self,
        deployment: Deployment,
        began: verdict.Deployment | None,
        recent: Sequence[verdict.Deployment],
        good: verdict.Deployment,
        last_good: str,
    ) -> Restore | None:
        """What ours didn't change, or somebody has changed since, is not put back; None where it is."""
        if deployment.plan.command != "deploy" or not self.target.claim:
            return None
        others = _others(began, recent, deployment.plan.started_at)
        if not others and not began and last_good:
            others = [self._group.get(last_good)]
        if others and not verdict.same(others[-1].revision, good.revision):
            return Restore("overtaken", codedeploy_deployment_id=others[-1].id)
        if began or deployment.rollout:
            return None
        return Restore("untouched", codedeploy_deployment_id=last_good or good.id)

    def _by(self, how: str, found: verdict.Deployment) -> Restore:
        """By a deployment that was found. It doesn't keep the tasks that it replaced: nobody will want them."""
        if found.terminating:
            self._group.end_waiting(found.id)
        return Restore(how, codedeploy_deployment_id=found.id)

    def restored(self, deployment: Deployment) -> Rollout:
        """The status of the deployment that we made, or of CodeDeploy's own rollback."""
        if deployment.restore.how == "waiting":
            return Rollout(RolloutState.MOVING, "")
        made = deployment.restore.codedeploy_deployment_id or deployment.rollout.restored_by
        return self._rollout(made or "")

    def restores_again(self, deployment: Deployment, found: Rollout) -> bool:
        """To begin what could not be begun while the group was busy, and to end a wait that nobody needs."""
        return deployment.restore.how == "waiting" or found.lifecycle_stage == verdict.TERMINATION

    def proceed(self, pause: Pause) -> bool:
        """By ContinueDeployment."""
        return self._group.proceed(pause)

    @staticmethod
    def counts(desired: int | None) -> TextKey | None:
        """Of instances; a deployment to ECS or Lambda has none."""
        return "field_instances" if desired else None

    @staticmethod
    def by_hand(previous: Release, names: Mapping[str, str]) -> Reason | None:
        """CreateDeployment with its revision."""
        if not previous.codedeploy_deployment_id or not names.get("application"):
            return None
        return Reason("by_hand_codedeploy", **names, deployment=previous.codedeploy_deployment_id)


def begun(deployment: Deployment, recent: Sequence[verdict.Deployment]) -> verdict.Deployment | None:
    """What the deploy stage began: as it reported or, where it could not report, by its description."""
    outputs = deployment.deploy.outputs or deployment.rollout.brought or Outputs()
    reported = next((each for each in recent if each.id == outputs.codedeploy_deployment_id), None)
    return reported or verdict.named(recent, deployment.id)


def _others(
    began: verdict.Deployment | None, recent: Sequence[verdict.Deployment], started_at: float
) -> list[verdict.Deployment]:
    """What others have deployed since ours began, oldest first; where it began nothing, since it was planned, and what
    is still under way. `recent`: oldest first."""

    def since(each: verdict.Deployment) -> bool:
        if began:
            return each.created_at >= began.created_at and each.id != began.id and not each.is_rollback_of(began)
        return not each.ended or each.created_at >= started_at

    return [each for each in recent if since(each) and not each.to_instances]


def _own_rollback(
    began: verdict.Deployment, recent: Sequence[verdict.Deployment], good: verdict.Deployment
) -> verdict.Deployment | None:
    """CodeDeploy's, of what we began, unless it failed or leads elsewhere."""
    found = next((each for each in recent if each.is_rollback_of(began)), None)
    return found if found and not found.broken and verdict.same(found.revision, good.revision) else None
