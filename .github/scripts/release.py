"""Puts a built release live: on ECS, with CodeDeploy, or on a host over SSH, by what the repository has set.

Runs on GitHub's runners with Python, the AWS CLI and ssh. From the environment:

    IMAGE                               the image by digest (empty for what has no Dockerfile)
    SHA, VERSION, DEPLOYMENT_ID, STRATEGY    what the event says
    ECS_CLUSTER_NAME, ECS_SERVICE_NAME, ECS_CONTAINER_NAME         the workflow's settings
    CODEDEPLOY_APP_NAME, CODEDEPLOY_GROUP_NAME, CODEDEPLOY_BUCKET  likewise
    EC2_HOST, ...                       see ec2_release.sh
    SOURCE                              the checked-out commit

What it brought about goes to $GITHUB_OUTPUT. It does not wait for a rollout: the bot watches that.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# RegisterTaskDefinition takes back what DescribeTaskDefinition gives, without what only ECS may say.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
GIVEN_BY_ECS = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
)
IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9./:_-]*@sha256:[0-9a-f]{64}")
STRATEGIES = {"rolling": "ROLLING", "blue_green": "BLUE_GREEN", "linear": "LINEAR", "canary": "CANARY"}

Aws = Callable[..., dict[str, Any]]


class Refused(Exception):
    """The release cannot be made; the text says what to set or mend."""


def aws_cli(*arguments: str) -> dict[str, Any]:
    """Run the AWS CLI; its JSON answer. Raises Refused with the CLI's own last words."""
    done = subprocess.run(
        ["aws", *arguments, "--output", "json", "--no-cli-pager"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"aws {' '.join(arguments[:2])} failed: {done.stderr.strip()[-500:]}")
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    return answer


def with_image(definition: Mapping[str, Any], image: str, container: str) -> dict[str, Any]:
    """The task definition as it can be registered again, with `image` in the container named, or in the only
    essential one. Raises Refused when it is not clear which that is."""
    if not IMAGE.fullmatch(image):
        raise Refused(f"{image[:200]!r} names no image by digest.")
    fresh = {name: value for name, value in definition.items() if name not in GIVEN_BY_ECS}
    containers = [dict(each) for each in definition["containerDefinitions"]]
    if container:
        chosen = [each for each in containers if each["name"] == container]
    else:
        chosen = [each for each in containers if each.get("essential", True)]
    if len(chosen) != 1:
        names = ", ".join(each["name"] for each in containers)
        raise Refused(f"Set ECS_CONTAINER_NAME in the workflow to the container that takes the image: {names}.")
    chosen[0]["image"] = image
    return {**fresh, "containerDefinitions": containers}


def ecs(env: Mapping[str, str], aws: Aws = aws_cli) -> dict[str, str]:
    """Register a task definition with the image and point the service at it."""
    cluster, service = env["ECS_CLUSTER_NAME"], env["ECS_SERVICE_NAME"]
    where = ("--cluster", cluster)
    found = aws("ecs", "describe-services", *where, "--services", service).get("services", [])
    if not found or found[0].get("status") != "ACTIVE":
        raise Refused(f"There is no active service {service} in the cluster {cluster}.")
    current = str(found[0]["taskDefinition"])
    described = aws("ecs", "describe-task-definition", "--task-definition", current, "--include", "TAGS")
    fresh = with_image(described["taskDefinition"], env["IMAGE"], env.get("ECS_CONTAINER_NAME", ""))
    if described.get("tags"):
        fresh["tags"] = described["tags"]
    registered = aws("ecs", "register-task-definition", "--cli-input-json", json.dumps(fresh))
    task_definition = str(registered["taskDefinition"]["taskDefinitionArn"])
    change = ["--service", service, "--task-definition", task_definition]
    if env.get("STRATEGY"):
        if env["STRATEGY"] not in STRATEGIES:
            raise Refused(f"{env['STRATEGY'][:50]!r} is no strategy; known are {', '.join(STRATEGIES)}.")
        configuration = {
            **found[0].get("deploymentConfiguration", {}),
            "strategy": STRATEGIES[env["STRATEGY"]],
        }
        change += ["--deployment-configuration", json.dumps(configuration)]
    aws("ecs", "update-service", *where, *change)
    return {"task_definition": task_definition, "image": env["IMAGE"]}


def codedeploy(env: Mapping[str, str], aws: Aws = aws_cli) -> dict[str, str]:
    """Bundle the commit to S3 and begin a CodeDeploy deployment of it."""
    if not env.get("CODEDEPLOY_BUCKET"):
        raise Refused("Set CODEDEPLOY_BUCKET in the workflow to the S3 bucket that holds the revisions.")
    application, key = env["CODEDEPLOY_APP_NAME"], f"{env['CODEDEPLOY_APP_NAME']}/{env['SHA']}.tgz"
    if not (Path(env["SOURCE"]) / "appspec.yml").is_file():
        raise Refused("CodeDeploy needs an appspec.yml at the top of the repository; this commit has none.")
    bundle = Path(env["RUNNER_TEMP"]) / "revision.tgz"
    subprocess.run(["git", "-C", env["SOURCE"], "archive", "--format=tgz", f"--output={bundle}", "HEAD"], check=True)
    aws("s3api", "put-object", "--bucket", env["CODEDEPLOY_BUCKET"], "--key", key, "--body", str(bundle))
    location = {"bucket": env["CODEDEPLOY_BUCKET"], "key": key, "bundleType": "tgz"}
    revision = json.dumps({"revisionType": "S3", "s3Location": location})
    group = ("--application-name", application, "--deployment-group-name", env["CODEDEPLOY_GROUP_NAME"])
    words = ("--description", f"{env['DEPLOYMENT_ID']} {env['SHA']}")
    begun = aws("deploy", "create-deployment", *group, "--revision", revision, *words)
    return {"codedeploy_deployment_id": str(begun["deploymentId"])}


def host(env: Mapping[str, str], aws: Aws = aws_cli) -> dict[str, str]:
    """Bring the release to a host over SSH and look at its health there."""
    script = Path(__file__).with_name("ec2_release.sh")
    if subprocess.run(["bash", str(script)], check=False).returncode:
        raise Refused("The host did not take the release; its own words stand above.")
    return {"image": env["IMAGE"]} if env.get("IMAGE") else {}


def kind(env: Mapping[str, str]) -> Callable[..., dict[str, str]]:
    """Who releases, by what is set. Raises Refused when nothing is."""
    if env.get("ECS_CLUSTER_NAME") and env.get("ECS_SERVICE_NAME"):
        return ecs
    if env.get("CODEDEPLOY_APP_NAME") and env.get("CODEDEPLOY_GROUP_NAME"):
        return codedeploy
    if env.get("EC2_HOST"):
        return host
    raise Refused(
        "Nothing says where to deploy. Set ECS_CLUSTER_NAME and ECS_SERVICE_NAME in the workflow, or "
        "CODEDEPLOY_APP_NAME and CODEDEPLOY_GROUP_NAME, or the secret EC2_HOST."
    )


def main() -> int:
    """Release, and write what came of it to $GITHUB_OUTPUT. 1 with the reason as an annotation of the run."""
    try:
        outputs = kind(os.environ)(os.environ)
    except Refused as refusal:
        text = str(refusal).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::error title=Release::{text}")
        return 1
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as file:
        for name, value in outputs.items():
            file.write(f"{name}={value}\n")
            print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
