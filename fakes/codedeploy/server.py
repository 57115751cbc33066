"""The fake itself, and helpers for tests and the pipeline."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from fakes.aws_json import HERE, ChangingService, Place
from fakes.clock import Clock
from fakes.codedeploy import describe
from fakes.codedeploy.deployer import Deployer
from fakes.codedeploy.model import Course, Deployment, Group, Json
from fakes.codedeploy.operations import perform

FAILURES = frozenset({"DEPLOYMENT_FAILURE"})


class CodeDeploy(ChangingService):
    """CodeDeploy in memory. `deployer.course` is the script of every deployment, `deployer.courses` of the next ones.
    Each account and region (`at`) has its own; `deployer` is the bot's.

    `down` answers everything 503; `faults` are rules for single requests; `calls` is what was asked.
    """

    target, broken = "CodeDeploy_20141006.", "InternalFailure"

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._clock = clock
        self._deployers: dict[Place, Deployer] = {}
        self.deployer = self.at(HERE)

    def at(self, place: Place) -> Deployer:
        """What is in that account and region; nothing, where nobody has put anything."""
        with self._lock:
            if place not in self._deployers:
                made = Deployer(self._clock, place, self.tell)
                made.timeline.planned = self.plan
                self._deployers[place] = made
            return self._deployers[place]

    def advance(self) -> None:
        with self._lock:
            for deployer in self._deployers.values():
                deployer.timeline.advance()

    def perform(self, operation: str, request: Json, place: Place = HERE) -> str:
        with self._lock:
            return json.dumps(perform(self.at(place), operation, request))

    def add_group(
        self, application: str, name: str, platform: str = "Server", *, deployed: bool = True, place: Place = HERE
    ) -> Group:
        """A deployment group; `deployed`: somebody has deployed a first revision to it an hour ago, well."""
        with self._lock:
            group = self.at(place).groups.setdefault((application, name), Group(application, name, platform))
            if deployed and not group.deployments:
                at = self._clock.now() - 3600
                first = Deployment(group, revision_of(group, "first"), Course(), at, description="by hand")
                first.status, first.started_at, first.completed_at = "Succeeded", at + 1, at + 60
                first.done = group.instances
                group.deployments.append(first)
            return group

    def deploy(self, application: str, name: str, version: str, description: str = "", place: Place = HERE) -> str:
        """Begin a deployment as a pipeline, or somebody at a terminal, does. Its id. Raises CodeDeployError."""
        with self._lock:
            group = self.at(place).group(application, name)
            request = {
                "applicationName": application,
                "deploymentGroupName": name,
                "revision": revision_of(group, version),
                "description": description,
            }
            return str(perform(self.at(place), "CreateDeployment", request)["deploymentId"])

    def deployments(self, application: str, name: str) -> list[Deployment]:
        """The group's deployments as they stand now, oldest first."""
        with self._lock:
            self.deployer.timeline.advance()
            return list(self.deployer.group(application, name).deployments)

    def running(self, application: str, name: str, place: Place = HERE) -> str:
        """The version of the revision that was deployed well last; "" for none."""
        with self._lock:
            self.at(place).timeline.advance()
            good = self.at(place).group(application, name).last_good()
            return version_of(good.revision) if good else ""


@dataclass(frozen=True)
class Pipeline:
    """What the pipeline's steps do to one deployment group."""

    codedeploy: CodeDeploy
    application: str
    group: str
    place: Place = HERE

    def carry_out(self, step: str, stage: Mapping[str, str]) -> dict[str, str]:
        """The deployment that the deploy stage begins, described as .github/scripts/release_codedeploy.py does."""
        if step != "Update service":
            return {}
        description = f"{stage['deployment_id']} {stage['sha']}"
        made = self.codedeploy.deploy(self.application, self.group, stage["version"], description, self.place)
        return {"codedeploy_deployment_id": made}


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
