"""Everything the fake holds, and the few ways of finding and changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fakes.clock import Clock
from fakes.ecs import names, rolling, staged, tasks
from fakes.ecs.deployer import Deployer
from fakes.ecs.errors import (
    client_error,
    cluster_not_found,
    deployment_not_found,
    service_not_active,
    service_not_found,
)
from fakes.ecs.model import Json, Revision, Rollout, Service, ServiceDeployment, TaskDefinition
from fakes.timeline import Timeline

CONFIGURATION: Json = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}


@dataclass
class Scripts:
    """What rollouts do: every one, the next one, the next one of a service."""

    every: Rollout = field(default_factory=Rollout)
    next: Rollout | None = None
    of: dict[str, Rollout] = field(default_factory=dict)

    def take(self, service: str) -> Rollout:
        """The script of a rollout that begins now."""
        if found := self.of.pop(service, None):
            return found
        found, self.next = self.next or self.every, None
        return found


class State:
    """Clusters, task definitions and services of one account and region. Whoever calls it holds the fake's lock."""

    def __init__(
        self,
        clock: Clock,
        place: names.Place = names.HERE,
        scripts: Scripts | None = None,
        on_event: Callable[[Json], object] = lambda _: None,
    ) -> None:
        self.clock, self.place = clock, place
        self.scripts = scripts or Scripts()
        self.timeline = Timeline(clock)
        self.deployer = Deployer(self.timeline, on_event)
        self.clusters: set[str] = set()
        self.definitions: dict[str, list[TaskDefinition]] = {}
        self.services: dict[tuple[str, str], Service] = {}

    def register(self, family: str, body: Json) -> TaskDefinition:
        """A new revision of a family."""
        revisions = self.definitions.setdefault(family, [])
        definition = TaskDefinition(family, len(revisions) + 1, body, self.clock.now(), place=self.place)
        revisions.append(definition)
        return definition

    def definition(self, name: str) -> TaskDefinition | None:
        """By ARN, `family:revision`, or family: then its newest active revision."""
        family, _, revision = names.last(name).partition(":")
        revisions = self.definitions.get(family, [])
        if revision:
            return next((one for one in revisions if str(one.revision) == revision), None)
        return next((one for one in reversed(revisions) if one.status == "ACTIVE"), None)

    def cluster(self, name: str | None) -> str:
        """The cluster's name. Raises ClusterNotFoundException."""
        found = names.last(name or "default")
        if found not in self.clusters:
            raise cluster_not_found()
        return found

    def service(self, cluster: str | None, name: str) -> Service:
        """Raises ClusterNotFoundException, ServiceNotFoundException."""
        found = self.services.get((self.cluster(cluster), names.last(name)))
        if found is None:
            raise service_not_found()
        return found

    def add_service(self, cluster: str, name: str, definition: TaskDefinition, desired: int) -> Service:
        """A service that has run this task definition for an hour, steady."""
        at = self.clock.now() - 3600
        self.clusters.add(cluster)
        service = Service(cluster, name, desired, at, dict(CONFIGURATION), place=self.place)
        self.services[cluster, name] = service
        deployment = self.deployer.begin(service, self._revision(service, definition, at), Rollout(), at)
        self.deployer.started(service, deployment, at)
        tasks.launch(service, deployment.target, desired, at)
        tasks.up(deployment.target, at)
        self.deployer.complete(service, deployment, at)
        return service

    def deploy(self, service: Service, definition: TaskDefinition) -> ServiceDeployment:
        """Begin a rollout now, by the next script. Raises ServiceNotActiveException, ClientException."""
        if service.status != "ACTIVE":
            raise service_not_active()
        if definition.status != "ACTIVE":
            raise client_error("TaskDefinition is inactive")
        script = self.scripts.take(service.name)
        at = self.clock.now()
        deployment = self.deployer.begin(service, self._revision(service, definition, at), script, at)
        strategy = service.configuration.get("strategy", "ROLLING")
        (rolling if strategy == "ROLLING" else staged).plan(self.deployer, service, deployment)
        return deployment

    def deployments(self) -> Iterator[tuple[Service, ServiceDeployment]]:
        for service in self.services.values():
            for deployment in service.deployments:
                yield service, deployment

    def deployment(self, arn: str) -> tuple[Service, ServiceDeployment]:
        """Raises ServiceDeploymentNotFoundException."""
        for service, deployment in self.deployments():
            if deployment.arn == arn:
                return service, deployment
        raise deployment_not_found()

    def _revision(self, service: Service, definition: TaskDefinition, at: float) -> Revision:
        arn = names.arn("service-revision", f"{service.cluster}/{service.name}/{names.number()}", self.place)
        return Revision(arn, definition, at)


def container_definitions(name: str, image: str) -> list[dict[str, Any]]:
    """The one container of the services here."""
    return [
        {
            "name": name,
            "image": image,
            "cpu": 0,
            "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
            "essential": True,
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
        }
    ]
