"""The stand-in itself, and helpers for tests and the pipeline."""

from __future__ import annotations

import json
import threading

from local.aws_json import JsonService
from local.clock import Clock
from local.codedeploy import describe
from local.codedeploy.deployer import Deployer
from local.codedeploy.model import Course, Deployment, Group, Json
from local.codedeploy.operations import perform

FAILURES = frozenset({"DEPLOYMENT_FAILURE"})


class CodeDeploy(JsonService):
    """CodeDeploy in memory. `deployer.course` is the script of every deployment, `deployer.courses` of the next ones.
    `targets`: the application and group that the pipeline deploys each of the bot's targets to.

    `down` answers everything 503; `faults` are rules for single requests; `calls` is what was asked.
    """

    target, broken = "CodeDeploy_20141006.", "InternalFailure"

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self.deployer = Deployer(clock)
        self.targets: dict[str, tuple[str, str]] = {}

    def perform(self, operation: str, request: Json) -> str:
        with self._lock:
            return json.dumps(perform(self.deployer, operation, request))

    def add_group(self, application: str, name: str, platform: str = "Server", *, deployed: bool = True) -> Group:
        """A deployment group; `deployed`: somebody has deployed a first revision to it an hour ago, well."""
        with self._lock:
            group = self.deployer.groups.setdefault((application, name), Group(application, name, platform))
            if deployed and not group.deployments:
                at = self.deployer.clock.now() - 3600
                first = Deployment(group, revision_of(group, "first"), Course(), at, description="by hand")
                first.status, first.started_at, first.completed_at = "Succeeded", at + 1, at + 60
                first.done = group.instances
                group.deployments.append(first)
            return group

    def deploy(self, application: str, name: str, version: str, description: str = "") -> str:
        """Begin a deployment as a pipeline, or somebody at a terminal, does. Its id. Raises CodeDeployError."""
        with self._lock:
            group = self.deployer.group(application, name)
            request = {
                "applicationName": application,
                "deploymentGroupName": name,
                "revision": revision_of(group, version),
                "description": description,
            }
            return str(perform(self.deployer, "CreateDeployment", request)["deploymentId"])

    def has(self, target: str) -> bool:
        """True for a target that the pipeline deploys with CodeDeploy."""
        return target in self.targets

    def release(self, target: str, version: str, description: str) -> str:
        """What the pipeline's deploy stage does for such a target; the deployment's id."""
        return self.deploy(*self.targets[target], version, description)

    def deployments(self, application: str, name: str) -> list[Deployment]:
        """The group's deployments as they stand now, oldest first."""
        with self._lock:
            self.deployer.timeline.advance()
            return list(self.deployer.group(application, name).deployments)

    def running(self, application: str, name: str) -> str:
        """The version of the revision that was deployed well last; "" for none."""
        with self._lock:
            self.deployer.timeline.advance()
            good = self.deployer.group(application, name).last_good()
            return version_of(good.revision) if good else ""


def revision_of(group: Group, version: str) -> Json:
    """What a pipeline deploys of a version: a bundle in S3 for hosts, else an AppSpec."""
    if group.platform == "Server":
        place = {"bucket": "revisions", "key": f"{group.application}/{version}.tgz", "bundleType": "tgz"}
        return {"revisionType": "S3", "s3Location": place}
    content = json.dumps({"version": 1, "Resources": [{"Target": {"Properties": {"Version": version}}}]})
    return {
        "revisionType": "AppSpecContent",
        "appSpecContent": {"content": content, "sha256": describe.sha256(content)},
    }


def version_of(revision: Json) -> str:
    """The version that `revision_of` made a revision of."""
    if revision["revisionType"] == "S3":
        return str(revision["s3Location"]["key"]).rpartition("/")[2].removesuffix(".tgz")
    found = json.loads(revision["appSpecContent"]["content"])
    return str(found["Resources"][0]["Target"]["Properties"]["Version"])
