"""ARNs, ids and digests as ECS writes them."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import string

from fakes.aws_json import ACCOUNT, HERE, REGION, Place

__all__ = ["ACCOUNT", "HERE", "REGION", "Place", "arn"]

_ALPHABET = string.ascii_letters + string.digits
_numbers = itertools.count(4_120_967_340_110_382_511, 7_919_000_003)


def arn(kind: str, name: str, place: Place = HERE) -> str:
    """`arn:aws:ecs:<region>:<account>:<kind>/<name>`."""
    return place.arn("ecs", f"{kind}/{name}")


def last(name_or_arn: str) -> str:
    """The last part of an ARN, or the name itself: ECS takes both everywhere."""
    return name_or_arn.rsplit("/", 1)[-1]


def number() -> str:
    """Nineteen digits, as in `ecs-svc/4120967340110382511` and in the ARNs of service revisions."""
    return str(next(_numbers))


def deployment_id() -> str:
    """Twenty-one letters and digits, as at the end of a service deployment's ARN."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(21))


def hook_id() -> str:
    """What a PAUSE hook is called when a deployment reaches it: `ecs-pause-` and 43 characters."""
    return "ecs-pause-" + secrets.token_urlsafe(32)


def task_id() -> str:
    """Thirty-two hexadecimal digits."""
    return secrets.token_hex(16)


def digest(image: str) -> str:
    """The digest ECS resolves an image to: the one the image names, else one derived from its whole name."""
    _, at, named = image.partition("@")
    return named if at else "sha256:" + hashlib.sha256(image.encode()).hexdigest()
