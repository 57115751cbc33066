"""The image that a stage is to release: only one of the repository that this environment's settings name, by digest.

    AWS_REGION       set: Amazon ECR; else GitHub's registry
    ECR_REPOSITORY   the repository's name, with its registry in front where that is another account's; default: the
                     name of the repository that is deployed
    GITHUB_REPOSITORY

Who may build is not who may deploy: what the event says is compared with what the environment of the deploy job says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner import Aws, Refused

IMAGE = re.compile(r"([a-z0-9][a-zA-Z0-9./:_-]*)@sha256:[0-9a-f]{64}")


def repository(env: Mapping[str, str], aws: Aws) -> str:
    """Where push_image.sh pushes to, with the same settings."""
    if not env.get("AWS_REGION"):
        return f"ghcr.io/{env['GITHUB_REPOSITORY'].lower()}"
    name = env.get("ECR_REPOSITORY") or env["GITHUB_REPOSITORY"].partition("/")[2].lower()
    if ".dkr.ecr." in name.partition("/")[0]:
        return name
    account = str(aws("sts", "get-caller-identity")["Account"])
    ending = "amazonaws.com.cn" if env["AWS_REGION"].startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{env['AWS_REGION']}.{ending}/{name}"


def compare(env: Mapping[str, str], aws: Aws) -> None:
    """Raises Refused for an image of another repository, or one that is not named by digest: a tag may move after the
    approval. No image, as of a commit without a Dockerfile, is left to who releases."""
    image = env.get("IMAGE", "")
    if not image:
        return
    found = IMAGE.fullmatch(image)
    if not found:
        raise Refused(f"{image[:200]!r} names no image by digest. Has the commit a Dockerfile?")
    expected = repository(env, aws)
    if found[1] != expected:
        raise Refused(
            f"The image is of {found[1][:200]}, and this environment deploys images of {expected}. Where that is "
            "right, set ECR_REPOSITORY in both environments, with the registry in front of it."
        )
