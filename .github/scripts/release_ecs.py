"""Puts an image live on an ECS service: a new task definition, then UpdateService. ECS does the rest, by strategy.

ECS_CLUSTER_NAME, ECS_SERVICE_NAME, ECS_CONTAINER_NAME    where, and which container takes the image
IMAGE, DEPLOYMENT_ID                                      by digest; the tag of the task definition
STRATEGY                  rolling, blue_green, linear or canary; empty: as the service is configured. After a plus, the
                          lifecycle stages at which it pauses until somebody promotes it: canary+POST_SCALE_UP,…
ECS_STEP_PERCENT          linear and canary: how much traffic moves at a time
ECS_STEP_MINUTES          linear and canary: how long before more of it moves
ECS_BAKE_MINUTES          all but rolling: how long both versions run once all traffic has moved
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import task_definition
from runner import Aws, Refused

STRATEGIES = {"rolling": "ROLLING", "blue_green": "BLUE_GREEN", "linear": "LINEAR", "canary": "CANARY"}
BAKE_MINUTES = 5
"""Where neither the settings nor the service say: ECS wants a number for everything but rolling."""
DAY = 1440

# What belongs to one strategy only: ECS refuses it beside another.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
ONLY_FOR = {
    "linearConfiguration": {"LINEAR"},
    "canaryConfiguration": {"CANARY"},
    "bakeTimeInMinutes": {"BLUE_GREEN", "LINEAR", "CANARY"},
    "earlySuccessCriteria": {"ROLLING"},
}


def release(env: Mapping[str, str], aws: Aws) -> dict[str, str]:
    """Register a task definition with the image and point the service at it. Does not wait: the bot watches."""
    cluster, service = env["ECS_CLUSTER_NAME"], env["ECS_SERVICE_NAME"]
    where = ("--cluster", cluster)
    found = aws("ecs", "describe-services", *where, "--services", service).get("services", [])
    if not found or found[0].get("status") != "ACTIVE":
        raise Refused(f"There is no active service {service} in the cluster {cluster}.")
    controller = found[0].get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        raise Refused(
            f"The service {service} is deployed by {controller}, not by ECS itself. "
            "Set CODEDEPLOY_APP_NAME and CODEDEPLOY_GROUP_NAME instead of ECS_*."
        )
    strategy = env.get("STRATEGY", "")
    # before anything is registered: a wrong setting should leave nothing behind
    configuration = deployment_configuration(found[0], strategy, env) if strategy else {}
    made, _ = task_definition.register(str(found[0]["taskDefinition"]), env, aws)
    change = ["--service", service, "--task-definition", made]
    if configuration:
        change += ["--deployment-configuration", json.dumps(configuration)]
    aws("ecs", "update-service", *where, *change)
    return {"task_definition": made, "image": env["IMAGE"]}


def deployment_configuration(service: Mapping[str, Any], strategy: str, env: Mapping[str, str]) -> dict[str, Any]:
    """The service's own configuration, changed to the strategy. Raises Refused for what ECS would refuse."""
    strategy, _, stages = strategy.partition("+")
    if strategy not in STRATEGIES:
        raise Refused(f"{strategy[:50]!r} is no strategy; known are {', '.join(STRATEGIES)}.")
    wanted = STRATEGIES[strategy]
    own = service.get("deploymentConfiguration", {})
    made = {name: value for name, value in own.items() if wanted in ONLY_FOR.get(name, {wanted})}
    made["strategy"] = wanted
    if stages:
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
        others = [each for each in own.get("lifecycleHooks", []) if each.get("targetType") != "PAUSE"]
        made["lifecycleHooks"] = [*others, {"targetType": "PAUSE", "lifecycleStages": stages.split(",")}]
    if wanted == "ROLLING":
        return made
    balancers = service.get("loadBalancers", [])
    if any("advancedConfiguration" not in each for each in balancers):
        raise Refused(
            f"{strategy} needs a second target group: give the service's load balancer an advancedConfiguration "
            "(alternateTargetGroupArn, productionListenerRule, roleArn) once, with aws ecs update-service."
        )
    made["bakeTimeInMinutes"] = _minutes(env, "ECS_BAKE_MINUTES", own.get("bakeTimeInMinutes", BAKE_MINUTES))
    for kind, percent, minutes, least in (
        ("LINEAR", "stepPercent", "stepBakeTimeInMinutes", 3.0),
        ("CANARY", "canaryPercent", "canaryBakeTimeInMinutes", 0.1),
    ):
        if wanted == kind:
            block = dict(own.get(f"{kind.lower()}Configuration", {}))
            if env.get("ECS_STEP_PERCENT"):
                block[percent] = _percent(env, least)
            if env.get("ECS_STEP_MINUTES"):
                block[minutes] = _minutes(env, "ECS_STEP_MINUTES", 0)
            # without one ECS takes its own defaults: linear 10 % every 6 minutes, canary 5 % for 10 minutes
            if block:
                made[f"{kind.lower()}Configuration"] = block
    return made


def _minutes(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) > DAY:
        raise Refused(f"{name} is {text[:50]!r}; it should hold whole minutes from 0 to {DAY}.")
    return int(text)


def _percent(env: Mapping[str, str], least: float) -> float:
    text = env["ECS_STEP_PERCENT"].strip()
    try:
        tenths = float(text) * 10
    except ValueError:
        tenths = 0.0
    if not least * 10 <= tenths <= 1000 or abs(tenths - round(tenths)) > 1e-6:
        raise Refused(f"ECS_STEP_PERCENT is {text[:50]!r}; it should hold {least} to 100, in tenths of a percent.")
    return round(tenths) / 10
