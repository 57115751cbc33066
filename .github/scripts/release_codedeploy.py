"""Begins a CodeDeploy deployment of what CodeDeploy's application is for: hosts, an ECS service, or a Lambda.

CODEDEPLOY_APP_NAME, CODEDEPLOY_GROUP_NAME    the application and its deployment group
CODEDEPLOY_BUCKET         hosts: the S3 bucket that holds the revisions (the commit must have an appspec.yml)
ECS_CONTAINER_NAME, IMAGE ECS: the container that takes the image, and the image by digest
STRATEGY                  ECS: blue_green, linear or canary, as CodeDeploy's own configurations of these names
CODEDEPLOY_CONFIG_NAME    any other deployment configuration; default: the group's own
SOURCE, SHA, DEPLOYMENT_ID
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import commit_archive
import task_definition
from runner import Aws, Refused

APPSPECS = ("appspec.yml", "appspec.yaml", "appspec.json")
# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
CONFIGURATIONS = {
    "blue_green": "CodeDeployDefault.ECSAllAtOnce",
    "linear": "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "canary": "CodeDeployDefault.ECSCanary10Percent5Minutes",
}


def release(env: Mapping[str, str], aws: Aws) -> dict[str, str]:
    """Begin the deployment; its id. Does not wait: the bot watches. Raises Refused with what is missing."""
    application, group_name = env["CODEDEPLOY_APP_NAME"], env["CODEDEPLOY_GROUP_NAME"]
    platform = aws("deploy", "get-application", "--application-name", application)["application"]["computePlatform"]
    where = ("--application-name", application, "--deployment-group-name", group_name)
    # before anything is packed or registered: a wrong setting should leave nothing behind
    chosen = _configuration(env, str(platform))
    made: dict[str, str] = {}
    if platform == "ECS":
        revision, made = _service(env, aws, where)
    elif platform == "Lambda":
        revision = _inline(_appspec(env).read_text())
    else:
        revision = _bundle(env, aws)
    words = ["--revision", json.dumps(revision), "--description", f"{env['DEPLOYMENT_ID']} {env['SHA']}"]
    if chosen:
        words += ["--deployment-config-name", chosen]
    begun = aws("deploy", "create-deployment", *where, *words)
    return {"codedeploy_deployment_id": str(begun["deploymentId"]), **made}


def _configuration(env: Mapping[str, str], platform: str) -> str:
    strategy = env.get("STRATEGY", "")
    if env.get("CODEDEPLOY_CONFIG_NAME") or not strategy:
        return env.get("CODEDEPLOY_CONFIG_NAME", "")
    if platform != "ECS" or strategy not in CONFIGURATIONS:
        raise Refused(
            f"CodeDeploy has no {strategy[:50]!r} for {platform} by itself; set CODEDEPLOY_CONFIG_NAME, "
            "or take the strategy out of targets.yaml."
        )
    return CONFIGURATIONS[strategy]


def _appspec(env: Mapping[str, str]) -> Path:
    source = Path(env["SOURCE"]).resolve()
    for name in APPSPECS:
        if (found := source / name).is_file():
            # a link may lead to what this job holds, and what is found there would be sent to AWS
            if not found.resolve().is_relative_to(source):
                raise Refused(f"{name} is a link that leads out of the repository.")
            return found
    raise Refused(f"CodeDeploy needs an {APPSPECS[0]} at the top of the repository; this commit has none.")


def _inline(content: str) -> dict[str, Any]:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": digest}}


def _bundle(env: Mapping[str, str], aws: Aws) -> dict[str, Any]:
    """The commit, packed, in S3."""
    if not env.get("CODEDEPLOY_BUCKET"):
        raise Refused("Set CODEDEPLOY_BUCKET to the S3 bucket that holds the revisions.")
    _appspec(env)
    bucket, key = env["CODEDEPLOY_BUCKET"], f"{env['CODEDEPLOY_APP_NAME']}/{env['SHA']}.tgz"
    packed = Path(env["RUNNER_TEMP"]) / "revision.tgz"
    commit_archive.pack(Path(env["SOURCE"]), env["SHA"], packed)
    aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", str(packed))
    return {"revisionType": "S3", "s3Location": {"bucket": bucket, "key": key, "bundleType": "tgz"}}


def _service(env: Mapping[str, str], aws: Aws, where: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, str]]:
    """An AppSpec for the group's ECS service, with a task definition that has the image."""
    group = aws("deploy", "get-deployment-group", *where)["deploymentGroupInfo"]
    if not group.get("ecsServices"):
        raise Refused(f"The deployment group {env['CODEDEPLOY_GROUP_NAME']} names no ECS service.")
    place = group["ecsServices"][0]
    asked = ("--cluster", place["clusterName"], "--services", place["serviceName"])
    found = aws("ecs", "describe-services", *asked).get("services", [])
    if not found or found[0].get("status") != "ACTIVE":
        raise Refused(f"There is no active service {place['serviceName']} in the cluster {place['clusterName']}.")
    # what CodeDeploy deployed last stands in the primary task set; the service itself keeps what it was created with
    live = next((each for each in found[0].get("taskSets", []) if each.get("status") == "PRIMARY"), found[0])
    made, containers = task_definition.register(str(live["taskDefinition"]), env, aws)
    balancers = live.get("loadBalancers") or found[0].get("loadBalancers", [])
    balanced = next((each for each in balancers if each.get("containerName") in containers), None)
    if balanced is None:
        raise Refused(f"No load balancer of the service {place['serviceName']} leads to {' or '.join(containers)}.")
    own = _own(env)
    properties = {
        **_kept(live, found[0]),
        **own.get("Properties", {}),
        "TaskDefinition": made,
        "LoadBalancerInfo": {"ContainerName": balanced["containerName"], "ContainerPort": balanced["containerPort"]},
    }
    target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    appspec = {"version": 1, "Resources": [target], **({"Hooks": own["Hooks"]} if own.get("Hooks") else {})}
    # JSON is YAML, and CodeDeploy takes either
    return _inline(json.dumps(appspec)), {"task_definition": made, "image": env["IMAGE"]}


def _kept(live: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    """What the service has besides its task definition, as an AppSpec says it: CodeDeploy takes the AppSpec for all of
    it, and drops what isn't there.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html#reference-appspec-file-structure-resources-ecs
    """
    kept = {}
    for name in ("platformVersion", "networkConfiguration", "capacityProviderStrategy"):
        if found := live.get(name) or service.get(name):
            kept[_capital(name)] = _spelled(found)
    return kept


def _spelled(value: Any) -> Any:
    """With the AppSpec's names, which begin with a capital letter, for ECS's."""
    if isinstance(value, dict):
        return {_capital(name): _spelled(each) for name, each in value.items()}
    return [_spelled(each) for each in value] if isinstance(value, list) else value


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _own(env: Mapping[str, str]) -> dict[str, Any]:
    """`Properties` and `Hooks` of the commit's AppSpec, where it has one. Raises Refused for one that can't be read."""
    if not any((Path(env["SOURCE"]) / name).is_file() for name in APPSPECS):
        return {}
    path = _appspec(env)
    try:
        import yaml  # GitHub's runners have it; only this needs it
    except ImportError:
        raise Refused(
            f"{path.name} cannot be read: the runner's Python has no PyYAML. Install it on your runner."
        ) from None
    try:
        found = yaml.safe_load(path.read_text("utf-8-sig"))
        resources = found.get("Resources") or []
        properties = resources[0]["TargetService"]["Properties"] if resources else {}
        return {"Properties": dict(properties), "Hooks": found.get("Hooks")}
    except (ValueError, AttributeError, LookupError, TypeError, yaml.YAMLError) as trouble:
        raise Refused(f"{path.name} cannot be read as the AppSpec of an ECS service: {trouble}") from None
