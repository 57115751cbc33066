"""Answers in CodeDeploy's shapes, from what the model holds. Keys and types are those of botocore's models."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from fakes.codedeploy.model import Deployment, Group, Json


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def without_content(revision: Json) -> Json:
    """A revision as deployments show it: "The content property of the appSpecContent object in the returned revision is
    always null." https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
    if "appSpecContent" not in revision:
        return revision
    return {**revision, "appSpecContent": {"sha256": revision["appSpecContent"]["sha256"]}}


def deployment(it: Deployment) -> Json:
    group = it.group
    moving = 0 if it.ended or it.status in ("Created", "Queued") else 1
    answer: Json = {
        "applicationName": group.application,
        "deploymentGroupName": group.name,
        "deploymentConfigName": it.config or "CodeDeployDefault.OneAtATime",
        "deploymentId": it.id,
        "revision": without_content(it.revision),
        "status": it.status,
        "createTime": it.created_at,
        "startTime": it.started_at,
        "completeTime": it.completed_at,
        "errorInformation": it.error or None,
        "description": it.description or None,
        "creator": it.creator,
        "ignoreApplicationStopFailures": it.ignores_stop,
        "updateOutdatedInstancesOnly": False,
        "autoRollbackConfiguration": _auto_rollback(it.auto_rollback),
        "rollbackInfo": it.rollback or None,
        "deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
        "instanceTerminationWaitTimeStarted": it.terminating,
        "fileExistsBehavior": it.file_exists,
        "deploymentStatusMessages": [],
        "computePlatform": group.platform,
    }
    if blue_green := _blue_green(it):
        answer["blueGreenDeploymentConfiguration"] = blue_green
        answer["deploymentStyle"] = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
    if group.platform == "Server":
        answer["deploymentOverview"] = {
            "Pending": max(group.instances - it.done - moving, 0),
            "InProgress": min(moving, group.instances - it.done),
            "Succeeded": it.done,
            "Failed": 0,
            "Skipped": 0,
            "Ready": 0,
        }
    return _known(answer)


def _blue_green(it: Deployment) -> Json:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BlueGreenDeploymentConfiguration.html"""
    answer: Json = {}
    if it.course.waits == "READY_WAIT":
        answer["deploymentReadyOption"] = {
            "actionOnTimeout": "STOP_DEPLOYMENT",
            "waitTimeInMinutes": it.course.ready_minutes,
        }
    if it.group.keeping:
        ending = {"action": "TERMINATE", "terminationWaitTimeInMinutes": it.group.keeping}
        answer["terminateBlueInstancesOnDeploymentSuccess"] = ending
    return answer


EVENTS = ("BeforeInstall", "Install", "AfterInstall", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
"""https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html"""


def target_id(it: Group) -> str:
    return f"{it.application}:{it.name}"


def target(it: Deployment) -> Json:
    """The ECS service or Lambda function: first it is installed, then the traffic comes."""
    moved = 100.0 * it.done / it.group.instances
    at = len(EVENTS) if it.ended else EVENTS.index("AllowTraffic" if moved else "Install")
    events = [
        {"lifecycleEventName": name, "status": "Succeeded" if n < at else "InProgress" if n == at else "Pending"}
        for n, name in enumerate(EVENTS)
    ]
    common = {"deploymentId": it.id, "targetId": target_id(it.group), "status": "InProgress", "lifecycleEvents": events}
    if it.group.platform == "Lambda":
        versions = {"functionName": it.group.name, "currentVersion": "1", "targetVersion": "2"}
        return {"deploymentTargetType": "LambdaTarget", "lambdaTarget": {**common, "lambdaFunctionInfo": versions}}
    sets = [
        {"identifer": "ecs-svc/1", "status": "PRIMARY", "taskSetLabel": "Blue", "trafficWeight": 100.0 - moved},
        {"identifer": "ecs-svc/2", "status": "ACTIVE", "taskSetLabel": "Green", "trafficWeight": moved},
    ]
    return {"deploymentTargetType": "ECSTarget", "ecsTarget": {**common, "taskSetsInfo": sets}}


def group(it: Group) -> Json:
    good, tried = it.last_good(), it.deployments[-1] if it.deployments else None
    return _known(
        {
            "applicationName": it.application,
            "deploymentGroupId": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{it.application}/{it.name}")),
            "deploymentGroupName": it.name,
            "deploymentConfigName": "CodeDeployDefault.OneAtATime",
            "serviceRoleArn": "arn:aws:iam::123456789012:role/codedeploy",
            "targetRevision": without_content(tried.revision) if tried else None,
            "triggerConfigurations": [],
            "autoRollbackConfiguration": _auto_rollback(it.auto_rollback),
            "deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
            "lastSuccessfulDeployment": _last(good),
            "lastAttemptedDeployment": _last(tried),
            "computePlatform": it.platform,
        }
    )


def _last(it: Deployment | None) -> Json | None:
    if it is None:
        return None
    times = {"endTime": it.completed_at, "createTime": it.created_at}
    return _known({"deploymentId": it.id, "status": it.status, **times})


def _auto_rollback(events: frozenset[str]) -> Json:
    return {"enabled": bool(events), "events": sorted(events)}


def _known(answer: dict[str, Any]) -> Json:
    return {key: value for key, value in answer.items() if value is not None}
