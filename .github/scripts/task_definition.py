"""A task definition that differs from the service's own in one image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from image import IMAGE
from runner import Aws, Refused

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


def container_of(definition: Mapping[str, Any], name: str) -> str:
    """The name of the container that takes the image: the one named, or the only essential one.

    Raises Refused when it is not clear which that is.
    """
    containers = definition["containerDefinitions"]
    if name:
        chosen = [each["name"] for each in containers if each["name"] == name]
    else:
        chosen = [each["name"] for each in containers if each.get("essential", True)]
    if len(chosen) != 1:
        names = ", ".join(each["name"] for each in containers)
        raise Refused(f"Set ECS_CONTAINER_NAME to the container that takes the image: {names}.")
    return str(chosen[0])


def with_image(definition: Mapping[str, Any], image: str, container: str) -> dict[str, Any]:
    """The task definition as it can be registered again, with `image` in that container. Raises Refused for an
    image that is not named by digest: a tag may move after the approval."""
    if not IMAGE.fullmatch(image):
        raise Refused(f"{image[:200]!r} names no image by digest. Has the commit a Dockerfile?")
    chosen = container_of(definition, container)
    containers = [dict(each) for each in definition["containerDefinitions"]]
    for each in containers:
        if each["name"] == chosen:
            each["image"] = image
    kept = {name: value for name, value in definition.items() if name not in GIVEN_BY_ECS}
    return {**kept, "containerDefinitions": containers}


def register(current: str, image: str, container: str, aws: Aws) -> tuple[str, str]:
    """Register `current` (an ARN or family:revision) anew with the image; the ARN, and the container's name."""
    described = aws("ecs", "describe-task-definition", "--task-definition", current, "--include", "TAGS")
    fresh = with_image(described["taskDefinition"], image, container)
    if described.get("tags"):
        fresh["tags"] = described["tags"]
    registered = aws("ecs", "register-task-definition", "--cli-input-json", json.dumps(fresh))
    return str(registered["taskDefinition"]["taskDefinitionArn"]), container_of(fresh, container)
