"""The life of a deployment: begun, moving, stopped, failed, and the rollback that CodeDeploy makes of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from fakes.aws_json import HERE, Place, event
from fakes.clock import Clock
from fakes.codedeploy.errors import application_missing, deployment_missing, group_busy, group_missing
from fakes.codedeploy.model import Course, Deployment, Group, Json
from fakes.timeline import Timeline

FAILED = {
    "code": "HEALTH_CONSTRAINTS",
    "message": "The overall deployment failed because too many individual instances failed deployment, too few "
    "healthy instances are available for deployment, or some instances in your deployment group are experiencing "
    "problems.",
}
_STATES = {"Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}
UNROUTED = {"code": "TIMEOUT", "message": "The deployment was stopped: its traffic was not rerouted in time."}
STOPPED = {"code": "MANUAL_STOP", "message": "The deployment was stopped by a user request."}


class Deployer:
    """Groups and what moves in them. Whoever calls it holds the fake's lock.

    `configs`: how each configuration moves the traffic. `course` is the script of every deployment; `courses`, while
    there are any, of the next ones. `rollback_delay`: the simulated seconds until CodeDeploy's own rollback follows
    what it rolls back.
    """

    def __init__(self, clock: Clock, place: Place = HERE, on_event: Callable[[Json], object] = lambda _: None) -> None:
        self.clock, self._place, self._on_event = clock, place, on_event
        self.timeline = Timeline(clock)
        self.groups: dict[tuple[str, str], Group] = {}
        self.configs: dict[str, Json] = {"CodeDeployDefault.OneAtATime": {"type": "AllAtOnce"}}
        self.course = Course()
        self.courses: list[Course] = []
        self.rollback_delay = 0.5

    def group(self, application: str, name: str) -> Group:
        """Raises ApplicationDoesNotExistException, DeploymentGroupDoesNotExistException."""
        if application not in {known for known, _ in self.groups}:
            raise application_missing(application)
        if (application, name) not in self.groups:
            raise group_missing(name)
        return self.groups[application, name]

    def deployment(self, deployment_id: str) -> Deployment:
        """Raises DeploymentDoesNotExistException."""
        for group in self.groups.values():
            for each in group.deployments:
                if each.id == deployment_id:
                    return each
        raise deployment_missing(deployment_id)

    def begin(
        self,
        group: Group,
        revision: Json,
        at: float,
        *,
        description: str = "",
        config: str = "",
        creator: str = "user",
        auto_rollback: frozenset[str] = frozenset(),
        file_exists: str = "DISALLOW",
        ignores_stop: bool = False,
    ) -> Deployment:
        """A new deployment, Created. Raises DeploymentLimitExceededException while another one is active."""
        if active := group.active():
            raise group_busy(group.name, active.id)
        courses = group.courses or self.courses
        course = courses.pop(0) if courses else self.course
        made = Deployment(group, revision, course, at, description, config, creator, auto_rollback)
        made.file_exists, made.ignores_stop = file_exists, ignores_stop
        group.deployments.append(made)
        self._plan(made)
        return made

    def _plan(self, it: Deployment) -> None:
        def queued(_: float) -> None:
            it.status = "Queued"

        def moving(at: float) -> None:
            it.status, it.started_at = "InProgress", at
            self._tell(it, "START", at)

        def half(now: float) -> None:
            it.done = it.group.instances // 2
            if it.course.waits:
                it.status = "Ready" if it.course.waits == "READY_WAIT" else it.status
                it.terminating = it.course.waits == "TERMINATION_WAIT"
            if it.status == "Ready":
                self._tell(it, "READY", now)
                later(60.0 * it.course.ready_minutes, it.id, lambda at: self._end(it, "Stopped", at, UNROUTED))

        def failed(at: float) -> None:
            self._end(it, "Failed", at, FAILED)

        seconds, later = it.course.seconds, self.timeline.after
        later(seconds * 0.02, it.id, queued)
        later(seconds * 0.05, it.id, moving)
        if it.course.outcome == "fails":
            later(seconds * 0.6, it.id, failed)
        elif it.course.outcome == "succeeds":
            later(seconds * 0.5, it.id, half)
            if not it.course.waits:
                later(seconds, it.id, lambda at: self._end(it, "Succeeded", at))

    def go_on(self, it: Deployment) -> None:
        """ContinueDeployment: what it waited for need not be waited for."""
        it.status, it.terminating = "InProgress", False
        self.timeline.drop(it.id)
        self.timeline.after(it.course.seconds * 0.2, it.id, lambda at: self._end(it, "Succeeded", at))

    def stop(self, it: Deployment, roll_back: bool | None) -> None:
        """StopDeployment: asked for at once, Stopped a moment later. `roll_back` None: as the group is configured."""
        wanted = "DEPLOYMENT_STOP_ON_REQUEST" in it.auto_rollback if roll_back is None else roll_back
        self.timeline.drop(it.id)
        it.stopping = True

        def stopped(at: float) -> None:
            self._end(it, "Stopped", at, STOPPED, roll_back=wanted)

        self.timeline.after(it.course.stopping, it.id, stopped)

    def _end(
        self, it: Deployment, status: str, at: float, error: Json | None = None, *, roll_back: bool | None = None
    ) -> None:
        it.status, it.completed_at, it.error, it.terminating = status, at, error or {}, False
        it.done = it.group.instances if status == "Succeeded" else it.done
        self._tell(it, _STATES[status], at)
        if roll_back is None:
            roll_back = status == "Failed" and "DEPLOYMENT_FAILURE" in it.auto_rollback
        if roll_back:
            self.timeline.after(self.rollback_delay, it.id, lambda due: self._roll_back(it, due))

    def _tell(self, it: Deployment, state: str, at: float) -> None:
        """https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codedeploy.html"""
        application, group = it.group.application, it.group.name
        resources = [
            self._place.arn("codedeploy", f"application:{application}"),
            self._place.arn("codedeploy", f"deploymentgroup:{application}/{group}"),
        ]
        detail = {
            "instanceGroupId": str(uuid.uuid4()),
            "region": self._place.region,
            "application": application,
            "deploymentId": it.id,
            "state": state,
            "deploymentGroup": group,
        }
        kind = "CodeDeploy Deployment State-change Notification"
        self._on_event(event(self._place, "aws.codedeploy", kind, at, resources, detail))

    def _roll_back(self, it: Deployment, at: float) -> None:
        """A new deployment of the last good revision.

        https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
        """
        good = it.group.last_good()
        if good is None or it.group.active():
            it.rollback = {"rollbackMessage": f"The deployment {it.id} can't be rolled back."}
            return
        made = self.begin(it.group, good.revision, at, creator="codeDeployRollback", config=it.config)
        made.description = f"Automatic rollback of {it.id}"
        made.rollback = {"rollbackTriggeringDeploymentId": it.id}
        it.rollback = {
            "rollbackDeploymentId": made.id,
            "rollbackMessage": f"A rollback deployment {made.id} was created.",
        }
