"""The fake itself, and helpers for tests and the pipeline."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fakes.aws_json import ChangingService
from fakes.clock import Clock
from fakes.ecs import describe, names
from fakes.ecs.errors import client_error
from fakes.ecs.model import Json, Rollout, Service, ServiceDeployment
from fakes.ecs.names import HERE, Place
from fakes.ecs.operations import perform
from fakes.ecs.state import Scripts, State, container_definitions

FIRST_IMAGE = f"{names.ACCOUNT}.dkr.ecr.{names.REGION}.amazonaws.com/checkout-api:v1.0.0"


ROLES = ("executionRoleArn", "taskRoleArn")


class Ecs(ChangingService):
    """ECS in memory, with the cluster `checkout` and its service `checkout-api` already running v1.0.0 (`service` "":
    with nothing). Each account and region has its own clusters and services.

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
        self._clock = clock
        self._states: dict[names.Place, State] = {}
        self.scripts = Scripts()
        self._cluster = cluster
        self._service = service  # empty: the first that is added is the one that is meant where no name is given
        self._own = bool(service)
        self._desired = desired
        self.service_deployments = True
        self.reset()

    def reset(self) -> None:
        """Back to the beginning: v1.0.0 runs, no script, no faults, no calls."""
        with self._lock:
            self._states, self.scripts = {}, Scripts()
            self.service_deployments, self.down = True, False
            self.faults.clear()
            self.calls.clear()
            if self._own:
                self.add_service(self._service, FIRST_IMAGE, self._desired, self._cluster)
            else:
                self._service = ""

    @property
    def rollout(self) -> Rollout:
        return self.scripts.every

    @rollout.setter
    def rollout(self, script: Rollout) -> None:
        self.scripts.every = script

    @property
    def next_rollout(self) -> Rollout | None:
        return self.scripts.next

    @next_rollout.setter
    def next_rollout(self, script: Rollout | None) -> None:
        self.scripts.next = script

    @property
    def next_rollouts(self) -> dict[str, Rollout]:
        return self.scripts.of

    def add_service(
        self,
        name: str,
        image: str,
        desired: int = 4,
        cluster: str | None = None,
        place: Place = HERE,
        roles: Mapping[str, str] | None = None,
    ) -> str:
        """A further service, steady on the newest revision of a task definition of its name. Returns its ARN.

        `roles`: of the task definition, `executionRoleArn` and `taskRoleArn`.
        """
        with self._lock:
            state = self._at(place)
            definition = state.register(name, _body(name, image) | dict(roles or {}))
            if not self._service and place == HERE:
                self._service, self._cluster = name, cluster or self._cluster
            return state.add_service(cluster or self._cluster, name, definition, desired).arn

    def remove_service(self, name: str | None = None) -> None:
        """As if it had never been."""
        with self._lock:
            self._at(HERE).services.pop((self._cluster, name or self._service), None)

    def remove_cluster(self, name: str | None = None) -> None:
        with self._lock:
            self._at(HERE).clusters.discard(name or self._cluster)

    def register_task_definition(
        self, image: str, family: str | None = None, place: Place = HERE, *, deployment: str = ""
    ) -> str:
        """The ARN of a new revision that runs `image`, otherwise as the family's newest one. `deployment`: the id that
        the pipeline's script puts into its tag."""
        with self._lock:
            name, state = family or self._service, self._at(place)
            newest = state.definition(name)
            roles = {key: newest.body[key] for key in ROLES if key in newest.body} if newest else {}
            made = state.register(name, _body(name, image) | roles)
            if deployment:
                made.tags = [{"key": "platform-deploy:deployment", "value": deployment}]
            return made.arn

    def deregister_task_definition(self, arn: str) -> None:
        """INACTIVE: what runs goes on, but no service can be updated to it."""
        with self._lock:
            definition = self._at(HERE).definition(arn)
            if definition is None:
                raise client_error("Unable to describe task definition.")
            definition.status, definition.deregistered_at = "INACTIVE", self._clock.now()

    def update_service(
        self,
        task_definition: str,
        service: str | None = None,
        *,
        force: bool = False,
        strategy: str = "",
        cluster: str | None = None,
        place: Place = HERE,
    ) -> str:
        """Begin a rollout as UpdateService does; the ARN of the newest service deployment. `strategy`: as the
        pipeline is told it, `canary+PRE_PRODUCTION_TRAFFIC_SHIFT`: the second part is where it pauses."""
        request = {
            "cluster": cluster or self._cluster,
            "service": service or self._service,
            "taskDefinition": task_definition,
            "forceNewDeployment": force,
        }
        if strategy:
            request["deploymentConfiguration"] = _configuration(strategy)
        with self._lock:
            perform(self._at(place), "UpdateService", request, self.service_deployments)
            return self.service_deployment(service, cluster, place).arn

    def deployer(self, service: str, cluster: str | None = None, place: Place = HERE) -> Deployer:
        """The pipeline of one service among several."""
        return Deployer(self, service, cluster or self._cluster, place)

    def configure(self, configuration: Json, service: str | None = None) -> None:
        """Change keys of the service's deploymentConfiguration (strategy, deploymentCircuitBreaker, …)."""
        with self._lock:
            one = self._one(service)
            one.configuration = {**one.configuration, **configuration}

    def change(self, change: Callable[[Service], None], service: str | None = None) -> None:
        """Bring a service into a state that no operation here leads to."""
        with self._lock:
            change(self._one(service))

    def service_deployment(
        self, service: str | None = None, cluster: str | None = None, place: Place = HERE
    ) -> ServiceDeployment:
        """The newest service deployment, as it stands now."""
        with self._lock:
            return self._one(service, cluster, place).deployments[0]

    def describe(self, service: str | None = None) -> Json:
        """The service as DescribeServices shows it."""
        with self._lock:
            return describe.service(self._one(service), self.service_deployments)

    def running_image(self, service: str | None = None, cluster: str | None = None, place: Place = HERE) -> str:
        """The image of the task definition that the service is set to."""
        with self._lock:
            one = self._one(service, cluster, place)
            return str(one.primary.revision.task_definition.containers[0]["image"])

    def perform(self, operation: str, request: Json, place: Place = HERE) -> str:
        with self._lock:
            # Rendered under the lock: the answer shares lists with the state.
            return json.dumps(perform(self._at(place), operation, request, self.service_deployments))

    def advance(self) -> None:
        with self._lock:
            for state in self._states.values():
                state.timeline.advance()

    def _at(self, place: Place) -> State:
        """What is in that account and region; nothing, where nobody has put anything."""
        if place not in self._states:
            made = State(self._clock, place, self.scripts, self.tell)
            made.timeline.planned = self.plan
            self._states[place] = made
        return self._states[place]

    def _one(self, service: str | None, cluster: str | None = None, place: Place = HERE) -> Service:
        state = self._at(place)
        state.timeline.advance()
        return state.service(cluster or self._cluster, service or self._service)


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
    """What the pipeline's steps do to one service."""

    ecs: Ecs
    service: str
    cluster: str
    place: Place = HERE

    def carry_out(self, step: str, stage: Mapping[str, str]) -> dict[str, str]:
        """What the step changes; the outputs that it adds to the stage's. `stage`: as the pipeline knows it, with
        `image`, `strategy` and the outputs so far."""
        if step == "Register task definition":
            of = stage["deployment_id"]
            made = self.ecs.register_task_definition(stage["image"], self.service, self.place, deployment=of)
            return {"task_definition": made}
        if step == "Update service":
            where: dict[str, Any] = {"cluster": self.cluster, "place": self.place}
            self.ecs.update_service(stage["task_definition"], self.service, strategy=stage["strategy"], **where)
        return {}


def _body(name: str, image: str) -> Json:
    return {
        "containerDefinitions": container_definitions(name, image),
        "executionRoleArn": f"arn:aws:iam::{names.ACCOUNT}:role/ecsTaskExecutionRole",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
    }
