"""The one place that talks to CodeDeploy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chatops import aws
from chatops.domain.errors import ServiceRefused
from chatops.domain.reason import Reason
from chatops.domain.target import Target
from chatops.platforms.codedeploy_verdict import TERMINATION, Deployment, read, shifting, traffic
from chatops.platforms.rollout import Pause
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_BATCH = 25
_MISSING: dict[str, TextKey] = {
    "ApplicationDoesNotExistException": "codedeploy_no_application",
    "DeploymentGroupDoesNotExistException": "codedeploy_no_group",
}


class GroupBusy(Exception):
    """The group has a deployment under way; CodeDeploy takes one at a time."""


@dataclass(frozen=True)
class Attempts:
    """Ids of a group's last deployments: the last that succeeded, and the last of all. Empty where there is none."""

    good: str = ""
    tried: str = ""


@dataclass(frozen=True)
class Group:
    """A CodeDeploy deployment group of a target."""

    target: Target

    @property
    def _client(self) -> Any:
        return aws.client("codedeploy", region=self.target.region, role_arn=self.target.role_arn)

    @property
    def _name(self) -> dict[str, str]:
        return {
            "applicationName": self.target.codedeploy_application,
            "deploymentGroupName": self.target.codedeploy_group,
        }

    def get(self, deployment_id: str) -> Deployment:
        """Raises ServiceRefused if CodeDeploy knows no such deployment."""
        client = self._client
        try:
            return read(client.get_deployment(deploymentId=deployment_id)["deploymentInfo"])
        except client.exceptions.ClientError as error:
            if aws.is_transient(error):
                raise
            raise ServiceRefused(
                "codedeploy_no_deployment",
                deployment=deployment_id or Reason("nothing_recorded"),
                code=aws.error_code(error),
            ) from None

    def since(self, at: float) -> list[Deployment]:
        """Every deployment of the group that was created at or after the epoch second `at`, whatever became of it,
        oldest first. (ListDeployments promises no order.)"""
        ids, found = self._ids({"start": int(max(at, 0))}), list[Deployment]()
        for first in range(0, len(ids), _BATCH):
            batch = self._client.batch_get_deployments(deploymentIds=ids[first : first + _BATCH])
            found += [read(info) for info in batch["deploymentsInfo"]]
        return sorted(found, key=lambda each: each.created_at)

    def _ids(self, created: Mapping[str, int]) -> list[str]:
        """Of all deployments that were created in this span."""
        page = self._client.list_deployments(**self._name, createTimeRange=created)
        ids = list(page["deployments"])
        while more := page.get("nextToken"):
            page = self._client.list_deployments(**self._name, createTimeRange=created, nextToken=more)
            ids += page["deployments"]
        return ids

    def newer(self, than: Deployment) -> list[Deployment]:
        """The group's deployments after this one."""
        return [each for each in self.since(than.created_at) if each.id != than.id]

    def attempts(self) -> Attempts:
        """CodeDeploy's own word for what it deployed last. Raises ServiceRefused where the group is missing."""
        client = self._client
        try:
            info = client.get_deployment_group(**self._name)["deploymentGroupInfo"]
        except client.exceptions.ClientError as error:
            if key := _MISSING.get(aws.error_code(error)):
                names = {"application": self.target.codedeploy_application, "group": self.target.codedeploy_group}
                raise ServiceRefused(key, **names) from None
            raise
        last = (info.get("lastSuccessfulDeployment") or {}, info.get("lastAttemptedDeployment") or {})
        return Attempts(*(str(each.get("deploymentId", "")) for each in last))

    def traffic(self, it: Deployment) -> tuple[str, float | None]:
        """Where a deployment to ECS or Lambda is, and its share of the traffic. Nothing where CodeDeploy does not say:
        what is live does not hang on this."""
        client = self._client
        try:
            ids = client.list_deployment_targets(deploymentId=it.id)["targetIds"][:1]
            asked = {"deploymentId": it.id, "targetIds": ids}
            found = client.batch_get_deployment_targets(**asked)["deploymentTargets"] if ids else []
        except client.exceptions.ClientError:
            return "", None
        return traffic(found[0]) if found else ("", None)

    def shifting(self, it: Deployment) -> int:
        """Seconds that its configuration makes the traffic take; 0 where CodeDeploy does not say."""
        client = self._client
        try:
            found = client.get_deployment_config(deploymentConfigName=it.config)["deploymentConfigInfo"]
        except client.exceptions.ClientError:
            return 0
        return shifting(found)

    def stop(self, deployment_id: str, *, roll_back: bool) -> None:
        """Ask for a deployment that is under way to be stopped; one that has ended needs no stop. `roll_back`:
        CodeDeploy deploys its last good revision afterwards."""
        client = self._client
        self._ask(client, lambda: client.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=roll_back))

    def proceed(self, pause: Pause) -> bool:
        """ContinueDeployment: move the traffic; False where it does not wait for that any more.

        Raises ServiceRefused where CodeDeploy does not let us.
        """
        client = self._client
        try:
            client.continue_deployment(deploymentId=pause.of, deploymentWaitType=pause.id)
        except client.exceptions.ClientError as error:
            if aws.is_transient(error):
                raise
            if self.get(pause.of).pause:
                raise ServiceRefused(
                    "codedeploy_not_promoted", code=aws.error_code(error), deployment=pause.of, wait=pause.id
                ) from None
            return False
        return True

    def end_waiting(self, deployment_id: str) -> None:
        """Let a deployment that has moved all traffic end what it replaced at once."""
        client, wait = self._client, TERMINATION
        self._ask(client, lambda: client.continue_deployment(deploymentId=deployment_id, deploymentWaitType=wait))

    def _ask(self, client: Any, request: Callable[[], object]) -> None:
        try:
            request()
        except client.exceptions.ClientError as error:
            if aws.is_transient(error) or aws.error_code(error) == "AccessDeniedException":
                raise

    def deploy_again(self, good: Deployment, description: str) -> str:
        """Deploy the revision of an earlier deployment once more; the new deployment's id.

        Raises GroupBusy, and ServiceRefused where CodeDeploy does not take the revision any more.
        """
        client, what = self._client, {"revision": self._whole(good.revision), **good.options}
        try:
            made = client.create_deployment(**self._name, **what, description=description)
        except client.exceptions.DeploymentLimitExceededException as error:
            raise GroupBusy(str(error)) from None
        except client.exceptions.ClientError as error:
            if aws.is_transient(error):
                raise
            raise ServiceRefused("codedeploy_not_again", deployment=good.id, code=aws.error_code(error)) from None
        return str(made["deploymentId"])

    def _whole(self, revision: Mapping[str, Any]) -> Mapping[str, Any]:
        """With the AppSpec's content, which deployments do not show.
        https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
        if revision.get("revisionType") != "AppSpecContent":
            return revision
        application = self.target.codedeploy_application
        found = self._client.get_application_revision(applicationName=application, revision=revision)
        whole: Mapping[str, Any] = found["revision"]
        return whole
