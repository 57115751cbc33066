"""The one place that talks to ECS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatops import aws, clock
from chatops.domain.errors import ServiceRefused
from chatops.domain.target import Target
from chatops.platforms import ecs_pauses
from chatops.platforms.ecs_verdict import ServiceDeployment, live_task_definition
from chatops.platforms.rollout import Pause
from chatops.values import dataclass

_MISSING = frozenset({"ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"})
_LOOK_BACK = 10


@dataclass(frozen=True)
class Service:
    """An ECS service of a target."""

    target: Target

    @property
    def _ecs(self) -> Any:
        return aws.client("ecs", region=self.target.region, role_arn=self.target.role_arn)

    def describe(self) -> Mapping[str, Any]:
        """The service. Raises ServiceRefused where the cluster or the service is missing, in words."""
        unknown = ServiceRefused("ecs_unknown", service=self.target.service, cluster=self.target.cluster)
        try:
            found = self._ecs.describe_services(cluster=self.target.cluster, services=[self.target.service])
        except self._ecs.exceptions.ClientError as error:
            if aws.error_code(error) in _MISSING:
                raise unknown from None
            raise
        if not found["services"] or found["services"][0].get("status") == "INACTIVE":
            raise unknown
        service: Mapping[str, Any] = found["services"][0]
        return service

    def deployments(self) -> list[ServiceDeployment]:
        """The latest service deployments with what they bring; empty where the service has none."""
        listed = self._ecs.list_service_deployments(
            cluster=self.target.cluster, service=self.target.service, maxResults=_LOOK_BACK
        )["serviceDeployments"]
        arns = [d["serviceDeploymentArn"] for d in listed]
        if not arns:
            return []
        full = self._ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        revisions = self._revisions(full)
        return [_read(d, revisions) for d in full]

    def _revisions(self, deployments: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        arns = {d["targetServiceRevision"]["arn"] for d in deployments if "targetServiceRevision" in d}
        arns |= {r["arn"] for d in deployments for r in d.get("sourceServiceRevisions", [])}
        backs = [(d.get("rollback") or {}).get("serviceRevisionArn") for d in deployments]
        arns |= {arn for arn in backs if arn}
        wanted, found = sorted(arns), {}
        for at in range(0, len(wanted), 20):
            page = self._ecs.describe_service_revisions(serviceRevisionArns=wanted[at : at + 20])
            found.update({r["serviceRevisionArn"]: r for r in page["serviceRevisions"]})
        return found

    def _readable(self, task_definition: str) -> Mapping[str, Any]:
        """The task definition; empty if it can't be read any more."""
        try:
            found = self._ecs.describe_task_definition(taskDefinition=task_definition)
        except self._ecs.exceptions.ClientError as error:
            if aws.is_transient(error):
                raise
            return {}
        definition: Mapping[str, Any] = found["taskDefinition"]
        return definition

    def image(self, task_definition: str) -> str:
        """The image of the task definition's first essential container; empty if it cannot be read any more."""
        found = self._readable(task_definition)
        containers = found.get("containerDefinitions", [])
        main = next((c for c in containers if c.get("essential", True)), containers[0] if containers else {})
        return str(main.get("image", ""))

    def architecture(self, task_definition: str) -> str:
        """ARM64 or X86_64, as the task definition says; Fargate's is X86_64 where it says nothing. Empty where it isn't
        said, or can't be read any more.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html
        """
        found = self._readable(task_definition)
        usual = "X86_64" if "FARGATE" in found.get("requiresCompatibilities", []) else ""
        return str((found.get("runtimePlatform") or {}).get("cpuArchitecture") or usual)

    def images(self, task_definition: str) -> dict[str, str]:
        """The images of the task definition's containers, by the containers' names. Raises botocore's errors."""
        found = self._ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        return {str(each["name"]): str(each["image"]) for each in found["containerDefinitions"]}

    def marked(self, task_definition: str, tag: str) -> tuple[str, list[str]] | None:
        """The value of this tag of the task definition, empty where it has none, and its containers' images; None where
        it can't be read. (Tags ask for no permission of their own here: AWS::ECS::TaskDefinition's read handler, which
        returns them, has ecs:DescribeTaskDefinition alone.)"""
        try:
            found = self._ecs.describe_task_definition(taskDefinition=task_definition, include=["TAGS"])
        except self._ecs.exceptions.ClientError as error:
            if aws.is_transient(error):
                raise
            return None
        value = next((str(each["value"]) for each in found.get("tags", []) if each["key"] == tag), "")
        return value, [str(each["image"]) for each in found["taskDefinition"]["containerDefinitions"]]

    def task_digests(self, task_definition: str) -> dict[str, frozenset[str]]:
        """The digests that the service's running tasks of this task definition have pulled, by their containers' names:
        for images that are named by tag. Of at most 100 tasks."""
        where = {"cluster": self.target.cluster}
        arns = self._ecs.list_tasks(serviceName=self.target.service, **where)["taskArns"]
        tasks = self._ecs.describe_tasks(tasks=arns, **where)["tasks"] if arns else []
        found: dict[str, frozenset[str]] = {}
        for task in tasks:
            for each in task.get("containers", []) if task.get("taskDefinitionArn") == task_definition else []:
                if digest := each.get("imageDigest"):
                    found[each["name"]] = found.get(each["name"], frozenset()) | {digest}
        return found

    def usable(self, task_definition: str) -> bool:
        """False if the task definition is gone or inactive: nothing can be put back with it."""
        found = self._readable(task_definition)
        return bool(found) and found.get("status", "ACTIVE") == "ACTIVE"

    def live_task_definition(self) -> str:
        """What the service moves to or runs."""
        return live_task_definition(self.describe())

    def update(self, task_definition: str) -> None:
        """UpdateService to a task definition; ECS rolls it out."""
        self._ecs.update_service(
            cluster=self.target.cluster, service=self.target.service, taskDefinition=task_definition
        )

    def stop_with_rollback(self, arn: str) -> bool:
        """StopServiceDeployment with stopType ROLLBACK; False if there is nothing (any more) to stop."""
        try:
            self._ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
        except self._ecs.exceptions.ClientError as error:
            if aws.is_transient(error) or aws.error_code(error) == "AccessDeniedException":
                raise
            return False
        return True

    def proceed(self, pause: Pause) -> bool:
        """ContinueServiceDeployment at this pause; False where it does not wait there any more.

        Raises ServiceRefused where it waits and ECS does not let us.
        """
        try:
            self._ecs.continue_service_deployment(serviceDeploymentArn=pause.of, hookId=pause.id, action="CONTINUE")
        except self._ecs.exceptions.ClientError as error:
            if aws.is_transient(error):
                raise
            if any(d.pause and d.pause.mark == pause.mark for d in self.deployments()):
                raise ServiceRefused(
                    "ecs_not_promoted", code=aws.error_code(error), deployment=pause.of, hook=pause.id
                ) from None
            return False
        return True


def _read(body: Mapping[str, Any], revisions: Mapping[str, Mapping[str, Any]]) -> ServiceDeployment:
    revision = revisions.get(body.get("targetServiceRevision", {}).get("arn", ""), {})
    configuration = body.get("deploymentConfiguration") or {}
    images = revision.get("containerImages", [])
    resolved = {str(i.get("containerName", "")): str(i["imageDigest"]) for i in images if i.get("imageDigest")}
    back = revisions.get((body.get("rollback") or {}).get("serviceRevisionArn", ""), {})
    sources = [revisions.get(r["arn"], {}) for r in body.get("sourceServiceRevisions", [])]
    return ServiceDeployment(
        arn=str(body["serviceDeploymentArn"]),
        status=str(body["status"]),
        created_at=clock.seconds(body.get("createdAt")),
        task_definition=str(revision.get("taskDefinition", "")),
        digests=frozenset(resolved.values()),
        resolved=resolved,
        source_task_definition=str(sources[0].get("taskDefinition", "")) if len(sources) == 1 else "",
        restored_task_definition=str(back.get("taskDefinition", "")),
        ended_at=clock.seconds(body.get("finishedAt")),
        reason=str(body.get("statusReason", ""))[:300],
        lifecycle_stage=str(body.get("lifecycleStage", "")),
        strategy=str(configuration.get("strategy", "")),
        traffic=body.get("targetServiceRevision", {}).get("requestedProductionTrafficWeight"),
        pause=ecs_pauses.pause(body),
        baking=ecs_pauses.baking(configuration),
        lapsed=ecs_pauses.lapsed(body),
    )
