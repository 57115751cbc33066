"""Everything the stand-in holds, and the few ways of finding and changing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.clock import Clock
from local.ecs import names, rolling, staged, tasks
from local.ecs.deployer import Deployer
from local.ecs.errors import (
    client_error,
    cluster_not_found,
    deployment_not_found,
    service_not_active,
    service_not_found,
)
from local.ecs.model import Json, Revision, Rollout, Service, ServiceDeployment, TaskDefinition
from local.timeline import Timeline

CONFIGURATION: Json = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}


class State:
    """Clusters, task definitions and services. Whoever calls it holds the stand-in's lock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.timeline = Timeline(clock)
        self.deployer = Deployer(self.timeline)
        self.clusters: set[str] = set()
        self.definitions: dict[str, list[TaskDefinition]] = {}
        self.services: dict[tuple[str, str], Service] = {}
        self.rollout = Rollout()
        self.next_rollout: Rollout | None = None
        self.next_rollouts: dict[str, Rollout] = {}

    def register(self, family: str, body: Json) -> TaskDefinition:
        """A new revision of a family."""
        revisions = self.definitions.setdefault(family, [])
        definition = TaskDefinition(family, len(revisions) + 1, body, self.clock.now())
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
        service = Service(cluster, name, desired, at, dict(CONFIGURATION))
        self.services[cluster, name] = service
        deployment = self.deployer.begin(service, self._revision(service, definition, at), Rollout(), at)
        self.deployer.started(deployment, at)
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
        script = self.next_rollouts.pop(service.name, None)
        if script is None:
            script, self.next_rollout = self.next_rollout or self.rollout, None
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
        arn = names.arn("service-revision", f"{service.cluster}/{service.name}/{names.number()}")
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
