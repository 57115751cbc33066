"""The stand-in itself, and helpers for tests and the pipeline."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

from local.aws_json import JsonService
from local.clock import Clock
from local.ecs import describe, names
from local.ecs.errors import client_error
from local.ecs.model import Json, Rollout, Service, ServiceDeployment, TaskDefinition
from local.ecs.operations import perform
from local.ecs.state import State, container_definitions

FIRST_IMAGE = f"{names.ACCOUNT}.dkr.ecr.{names.REGION}.amazonaws.com/checkout-api:v1.0.0"


class Ecs(JsonService):
    """ECS in memory, with the cluster `checkout` and its service `checkout-api` already running v1.0.0.

    `rollout` is the script of every rollout; `next_rollout`, if set, of the next one only, `next_rollouts`
    of the next one of a service. `down` answers
    everything 503. `faults` are rules for single requests. `service_deployments` False makes its services of
    the kind that has none: ListServiceDeployments is empty.
    """

    target, broken = "AmazonEC2ContainerServiceV20141113.", "ServerException"

    def __init__(
        self, clock: Clock, cluster: str = "checkout", service: str = "checkout-api", desired: int = 4
    ) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._state = State(clock)
        self._cluster = cluster
        self._service = service
        self._desired = desired
        self.service_deployments = True
        self.reset()

    def reset(self) -> None:
        """Back to the beginning: v1.0.0 runs, no script, no faults, no calls."""
        with self._lock:
            self._state = State(self._state.clock)
            self.service_deployments, self.down = True, False
            self.faults.clear()
            self.calls.clear()
            self.add_service(self._service, FIRST_IMAGE, self._desired, self._cluster)

    @property
    def rollout(self) -> Rollout:
        return self._state.rollout

    @rollout.setter
    def rollout(self, script: Rollout) -> None:
        self._state.rollout = script

    @property
    def next_rollout(self) -> Rollout | None:
        return self._state.next_rollout

    @next_rollout.setter
    def next_rollout(self, script: Rollout | None) -> None:
        self._state.next_rollout = script

    @property
    def next_rollouts(self) -> dict[str, Rollout]:
        return self._state.next_rollouts

    def add_service(self, name: str, image: str, desired: int = 4, cluster: str | None = None) -> str:
        """A further service, steady on revision 1 of a task definition of its name. Returns its ARN."""
        with self._lock:
            definition = self._state.register(name, _body(name, image))
            return self._state.add_service(cluster or self._cluster, name, definition, desired).arn

    def remove_service(self, name: str | None = None) -> None:
        """As if it had never been."""
        with self._lock:
            self._state.services.pop((self._cluster, name or self._service), None)

    def remove_cluster(self, name: str | None = None) -> None:
        with self._lock:
            self._state.clusters.discard(name or self._cluster)

    def register_task_definition(self, image: str, family: str | None = None) -> str:
        """The ARN of a new revision that runs `image`."""
        with self._lock:
            name = family or self._service
            return self._state.register(name, _body(name, image)).arn

    def deregister_task_definition(self, arn: str) -> None:
        """INACTIVE: what runs goes on, but no service can be updated to it."""
        with self._lock:
            definition = self._definition(arn)
            definition.status, definition.deregistered_at = "INACTIVE", self._state.clock.now()

    def update_service(
        self, task_definition: str, service: str | None = None, *, force: bool = False, strategy: str = ""
    ) -> str:
        """Begin a rollout as UpdateService does; the ARN of the newest service deployment. `strategy`: as the
        pipeline is told it, `canary+PRE_PRODUCTION_TRAFFIC_SHIFT`: the second part is where it pauses."""
        request = {
            "cluster": self._cluster,
            "service": service or self._service,
            "taskDefinition": task_definition,
            "forceNewDeployment": force,
        }
        if strategy:
            request["deploymentConfiguration"] = _configuration(strategy)
        with self._lock:
            perform(self._state, "UpdateService", request, self.service_deployments)
            return self.service_deployment(service).arn

    def deployer(self, service: str) -> Deployer:
        """The pipeline of one service among several."""
        return Deployer(self, service)

    def configure(self, configuration: Json, service: str | None = None) -> None:
        """Change keys of the service's deploymentConfiguration (strategy, deploymentCircuitBreaker, …)."""
        with self._lock:
            one = self._one(service)
            one.configuration = {**one.configuration, **configuration}

    def change(self, change: Callable[[Service], None], service: str | None = None) -> None:
        """Bring a service into a state that no operation here leads to."""
        with self._lock:
            change(self._one(service))

    def service_deployment(self, service: str | None = None) -> ServiceDeployment:
        """The newest service deployment, as it stands now."""
        with self._lock:
            self._state.timeline.advance()
            return self._one(service).deployments[0]

    def describe(self, service: str | None = None) -> Json:
        """The service as DescribeServices shows it."""
        with self._lock:
            self._state.timeline.advance()
            return describe.service(self._one(service), self.service_deployments)

    def running_image(self, service: str | None = None) -> str:
        """The image of the task definition that the service is set to."""
        with self._lock:
            self._state.timeline.advance()
            return str(self._one(service).primary.revision.task_definition.containers[0]["image"])

    def perform(self, operation: str, request: Json) -> str:
        with self._lock:
            # Rendered under the lock: the answer shares lists with the state.
            return json.dumps(perform(self._state, operation, request, self.service_deployments))

    def _one(self, service: str | None) -> Service:
        return self._state.service(self._cluster, service or self._service)

    def _definition(self, arn: str) -> TaskDefinition:
        definition = self._state.definition(arn)
        if definition is None:
            raise client_error("Unable to describe task definition.")
        return definition


def _configuration(strategy: str) -> Json:
    name, _, stages = strategy.partition("+")
    made: Json = {"strategy": name.upper(), "bakeTimeInMinutes": 0}
    if name == "canary":
        made["canaryConfiguration"] = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0}
    elif name == "linear":
        made["linearConfiguration"] = {"stepPercent": 25.0, "stepBakeTimeInMinutes": 0}
    if stages:
        made["lifecycleHooks"] = [{"targetType": "PAUSE", "lifecycleStages": stages.split(",")}]
    return made


@dataclass(frozen=True)
class Deployer:
    """What a deploy stage does to one service."""

    ecs: Ecs
    service: str

    def register_task_definition(self, image: str) -> str:
        return self.ecs.register_task_definition(image, self.service)

    def update_service(self, *, task_definition: str, strategy: str) -> str:
        return self.ecs.update_service(task_definition, self.service, strategy=strategy)


def _body(name: str, image: str) -> Json:
    return {
        "containerDefinitions": container_definitions(name, image),
        "executionRoleArn": f"arn:aws:iam::{names.ACCOUNT}:role/ecsTaskExecutionRole",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
    }
