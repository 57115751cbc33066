"""Container images by name: `registry/repository:tag@sha256:…`, tag and digest optional."""

from __future__ import annotations

from chatops.domain.reason import Reason

_SHOWN = 12


def digest(image: str) -> str:
    """`sha256:…`; empty for an image that is named by tag only."""
    return image.partition("@")[2]


def repository(image: str) -> str:
    """Registry and repository, without tag and digest."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def same(one: str, other: str) -> bool:
    """The same digest; the same name where one of them has no digest."""
    return digest(one) == digest(other) if digest(one) and digest(other) else one == other


def short(image: str) -> str:
    """For people: the beginning of the digest, else the image's last name and tag."""
    kind, _, value = digest(image).partition(":")
    return f"{kind}:{value[:_SHOWN]}" if value else image.rpartition("/")[2]


def other(runs: str, approved: str) -> Reason:
    """Why something that runs or was reported doesn't count: it isn't the image that was built and approved."""
    return Reason("why_other_image", runs=short(runs), approved=short(approved))
