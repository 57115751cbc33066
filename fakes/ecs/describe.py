"""Answers in ECS's shapes, from what the model holds. Keys and types are those of botocore's models."""

from __future__ import annotations

from fakes.ecs import names
from fakes.ecs.model import Json, Revision, Service, ServiceDeployment, TaskDefinition, Tasks

NETWORK: Json = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d4e5f60718", "subnet-08a7b6c5d4e3f2019"],
        "securityGroups": ["sg-0123456789abcdef0"],
        "assignPublicIp": "DISABLED",
    }
}
FARGATE: Json = {"launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux"}


def task_definition(definition: TaskDefinition) -> Json:
    answer: Json = {
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": definition.status,
        "compatibilities": ["EC2", "FARGATE"],
        "placementConstraints": [],
        "volumes": [],
        "requiresAttributes": [],
        "registeredAt": definition.registered_at,
        "registeredBy": f"arn:aws:iam::{definition.place.account}:role/pipeline",
        **definition.body,
    }
    if definition.deregistered_at is not None:
        answer["deregisteredAt"] = definition.deregistered_at
    return answer


def tasks(group: Tasks) -> Json:
    """One entry of a service's `deployments`."""
    return {
        "id": group.id,
        "status": group.status,
        "taskDefinition": group.revision.task_definition.arn,
        "desiredCount": group.desired,
        "pendingCount": len(group.pending),
        "runningCount": len(group.running),
        "failedTasks": group.failed,
        "createdAt": group.created_at,
        "updatedAt": group.updated_at,
        "rolloutState": group.rollout_state,
        "rolloutStateReason": group.reason,
        "networkConfiguration": NETWORK,
        **FARGATE,
    }


def service(one: Service, service_deployments: bool) -> Json:
    """A service. `service_deployments` false leaves out what services had not before October 2024."""
    answer: Json = {
        "serviceArn": one.arn,
        "serviceName": one.name,
        "clusterArn": one.cluster_arn,
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": one.status,
        "desiredCount": one.desired,
        "runningCount": sum(len(group.running) for group in one.tasks),
        "pendingCount": sum(len(group.pending) for group in one.tasks),
        "taskDefinition": one.primary.revision.task_definition.arn,
        "deploymentConfiguration": one.configuration,
        "deployments": [tasks(group) for group in one.tasks],
        "events": list(one.events),
        "createdAt": one.created_at,
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": NETWORK,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": one.controller},
        "createdBy": f"arn:aws:iam::{one.place.account}:role/platform",
        "enableECSManagedTags": True,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
        **FARGATE,
    }
    if service_deployments:
        if one.deployments:
            answer["currentServiceDeployment"] = one.deployments[0].arn
        answer["currentServiceRevisions"] = [
            {
                "arn": group.revision.arn,
                "requestedTaskCount": group.desired,
                "runningTaskCount": len(group.running),
                "pendingTaskCount": len(group.pending),
            }
            for group in one.tasks
        ]
    return answer


def brief(one: Service, deployment: ServiceDeployment) -> Json:
    """A service deployment as ListServiceDeployments shows it."""
    return _known(
        {
            "serviceDeploymentArn": deployment.arn,
            "serviceArn": one.arn,
            "clusterArn": one.cluster_arn,
            "createdAt": deployment.created_at,
            "startedAt": deployment.started_at,
            "finishedAt": deployment.finished_at,
            "targetServiceRevisionArn": deployment.target.revision.arn,
            "status": deployment.status,
            "statusReason": deployment.status_reason or None,
        }
    )


def deployment(one: Service, it: ServiceDeployment) -> Json:
    """A service deployment in full."""
    answer = brief(one, it)
    del answer["targetServiceRevisionArn"]
    staged = bool(it.lifecycle_stage)
    weight = it.production_weight if staged else None
    answer |= _known(
        {
            "updatedAt": it.updated_at,
            "stoppedAt": it.stopped_at,
            "sourceServiceRevisions": [
                _summary(group, None if weight is None else 100.0 - weight) for group in it.sources
            ],
            "targetServiceRevision": _summary(it.target, weight),
            "lifecycleStage": it.lifecycle_stage or None,
            "deploymentConfiguration": it.configuration,
            "rollback": it.rollback,
            "deploymentCircuitBreaker": {
                "status": it.breaker_status,
                "failureCount": it.target.failed,
                "threshold": one.threshold,
            },
        }
    )
    if it.counts is not None:
        keys = ("requestedTaskCount", "runningTaskCount", "pendingTaskCount")
        answer["targetServiceRevision"] |= dict(zip(keys, it.counts, strict=True))
    if it.hooks:
        answer["lifecycleHookDetails"] = [
            _known(
                {
                    "hookId": hook.id,
                    "targetType": "PAUSE",
                    "status": hook.status,
                    "timeoutAction": hook.timeout_action,
                    "expiresAt": hook.expires_at,
                }
            )
            for hook in it.hooks
        ]
    return answer


def task(one: Service, group: Tasks, number: str, place: names.Place) -> Json:
    """A task; its containers have a digest once they have pulled their images."""
    definition = group.revision.task_definition
    running = number in group.running
    arn = names.arn("task", f"{one.cluster}/{number}", place)
    containers = [
        {
            "name": each["name"],
            "taskArn": arn,
            "image": each["image"],
            "lastStatus": "RUNNING" if running else "PENDING",
            **({"imageDigest": names.digest(each["image"])} if running else {}),
        }
        for each in definition.containers
    ]
    return {
        "taskArn": arn,
        "clusterArn": one.cluster_arn,
        "taskDefinitionArn": definition.arn,
        "group": f"service:{one.name}",
        "startedBy": group.id,
        "lastStatus": "RUNNING" if running else "PENDING",
        "desiredStatus": "RUNNING",
        "containers": containers,
        **FARGATE,
    }


def revision(one: Service, it: Revision) -> Json:
    """A service revision, with the digests that its images were resolved to."""
    return {
        "serviceRevisionArn": it.arn,
        "serviceArn": one.arn,
        "clusterArn": one.cluster_arn,
        "taskDefinition": it.task_definition.arn,
        "loadBalancers": [],
        "serviceRegistries": [],
        "networkConfiguration": NETWORK,
        "containerImages": [
            {
                "containerName": container["name"],
                "image": container["image"],
                "imageDigest": names.digest(container["image"]),
            }
            for container in it.task_definition.containers
        ],
        "guardDutyEnabled": False,
        "createdAt": it.created_at,
        **FARGATE,
    }


def _summary(group: Tasks, weight: float | None) -> Json:
    return _known(
        {
            "arn": group.revision.arn,
            "requestedTaskCount": group.desired,
            "runningTaskCount": len(group.running),
            "pendingTaskCount": len(group.pending),
            "requestedProductionTrafficWeight": weight,
        }
    )


def _known(answer: Json) -> Json:
    return {key: value for key, value in answer.items() if value is not None}
