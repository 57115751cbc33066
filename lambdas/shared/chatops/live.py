"""What is live in a target now: the service's own word, named by the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from chatops.ecs import codedeploy
from chatops.ecs.service import Service
from chatops.errors import InvalidRequest, ServiceRefused
from chatops.store.releases import Release
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
            raise InvalidRequest("service_missing", said=str(error), target=target.name) from None
        if not running:
            return None
        known = next((r for r in ledger if r.task_definition == running), None)
        if known:
            return known
        image = service.image(running)
        return Release(version=label(image, running), image=image, task_definition=running)
    if not ledger and target.kind == "codedeploy":
        # the first deployment to an existing group: its last good revision is the way back
        before = codedeploy.latest(target)
        return Release(version=before, codedeploy_deployment_id=before) if before else None
    return ledger[0] if ledger else None
