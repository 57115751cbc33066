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

TAG = "platform-deploy:deployment"
"""Whose value is the deployment's id: the bot asks whose release runs before it puts another one back."""
MOST_TAGS = 49
"""Of the 50 that a task definition may have, beside TAG."""


def repository(image: str) -> str:
    """An image's name without tag and digest: `host:5000/shop/api` of `host:5000/shop/api:v1@sha256:…`."""
    name = image.partition("@")[0]
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def containers_of(definition: Mapping[str, Any], image: str, name: str) -> list[str]:
    """The names of the containers that take the image: all that run an image of its repository (web and worker, say),
    and the one named, with all that run the same image as that. Where there is none, the only essential one.

    Raises Refused when it is not clear which that is.
    """
    containers = definition["containerDefinitions"]
    named = [each for each in containers if each["name"] == name]
    wanted = {repository(image), *(repository(each["image"]) for each in named)}
    chosen = [str(each["name"]) for each in containers if repository(each["image"]) in wanted]
    if not chosen and not name:
        chosen = [str(each["name"]) for each in containers if each.get("essential", True)]
        chosen = chosen if len(chosen) == 1 else []
    if not chosen or (name and not named):
        names = ", ".join(each["name"] for each in containers)
        raise Refused(f"Set ECS_CONTAINER_NAME to the container that takes the image: {names}.")
    return chosen


def with_image(definition: Mapping[str, Any], image: str, chosen: list[str]) -> dict[str, Any]:
    """The task definition as it can be registered again, with `image` in these containers. Raises Refused for an
    image that is not named by digest: a tag may move after the approval."""
    if not IMAGE.fullmatch(image):
        raise Refused(f"{image[:200]!r} names no image by digest. Has the commit a Dockerfile?")
    containers = [dict(each) for each in definition["containerDefinitions"]]
    for each in containers:
        if each["name"] in chosen:
            each["image"] = image
    kept = {name: value for name, value in definition.items() if name not in GIVEN_BY_ECS}
    return {**kept, "containerDefinitions": containers}


def register(current: str, env: Mapping[str, str], aws: Aws) -> tuple[str, list[str]]:
    """Register `current` (an ARN or family:revision) anew with $IMAGE; the ARN, and the names of the containers that
    have it. Its tags come along, but for those that only AWS may set, and say of which deployment it is."""
    described = aws("ecs", "describe-task-definition", "--task-definition", current, "--include", "TAGS")
    image, definition = env.get("IMAGE", ""), described["taskDefinition"]
    chosen = containers_of(definition, image, env.get("ECS_CONTAINER_NAME", ""))
    fresh = with_image(definition, image, chosen)
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html#tag-restrictions
    kept = [tag for tag in described.get("tags", []) if not tag["key"].lower().startswith("aws:") and tag["key"] != TAG]
    fresh["tags"] = [*kept[:MOST_TAGS], {"key": TAG, "value": env["DEPLOYMENT_ID"]}]
    registered = aws("ecs", "register-task-definition", "--cli-input-json", json.dumps(fresh))
    return str(registered["taskDefinition"]["taskDefinitionArn"]), chosen
