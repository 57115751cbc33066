"""What is live in a target now: the service's own word, named by the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from chatops.domain.release import Release
from chatops.errors import InvalidRequest, ServiceRefused
from chatops.platforms.codedeploy_group import Group
from chatops.platforms.codedeploy_verdict import same
from chatops.platforms.ecs_service import Service
from chatops.targets import Target


def label(image: str, task_definition: str) -> str:
    """A name for what runs there and no ledger knows: the image's tag, else the task definition's revision."""
    name, _, tag = image.partition("@")[0].rpartition(":")
    if name and tag and "/" not in tag:
        return tag
    return task_definition.rpartition("/")[2] or "unknown"


def now(target: Target, ledger: Sequence[Release]) -> Release | None:
    """The release that is live; for services that ran before we came, made from what the service says."""
    if target.kind == "ecs":
        try:
            service = Service(target)
            running = service.live_task_definition()
        except ServiceRefused as error:
            raise InvalidRequest("service_missing", said=error.words, target=target.name) from None
        if not running:
            return None
        known = next((r for r in ledger if r.task_definition == running), None)
        if known:
            return known
        image = service.image(running)
        return Release(version=label(image, running), image=image, task_definition=running)
    if target.kind == "codedeploy":
        try:
            return _deployed(Group(target), ledger)
        except ServiceRefused as error:
            raise InvalidRequest("group_missing", said=error.words, target=target.name) from None
    return ledger[0] if ledger else None


def _deployed(group: Group, ledger: Sequence[Release]) -> Release | None:
    """What the group's last good deployment brought; on the first deployment ever that is the way back. Also where
    somebody, or CodeDeploy itself, deployed the recorded revision once more, the record's name is its name."""
    last = group.attempts().good
    if not last:
        return None
    known = next((r for r in ledger if r.codedeploy_deployment_id == last), None)
    return known or _again(group, last, ledger) or Release(version=last, codedeploy_deployment_id=last)


def _again(group: Group, last: str, ledger: Sequence[Release]) -> Release | None:
    if not ledger or not ledger[0].codedeploy_deployment_id:
        return None
    try:
        recorded = group.get(ledger[0].codedeploy_deployment_id)
    except ServiceRefused:
        return None
    return ledger[0] if same(recorded.revision, group.get(last).revision) else None
