"""Which service or deployment group an event of EventBridge's is about. Whatever else arrives is about none.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codedeploy.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatops.domain.target import Target
from chatops.values import dataclass

_SERVICE = re.compile(r"arn:[a-z-]+:ecs:([a-z0-9-]+):(\d{12}):service/([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Changed:
    """A service of a cluster, or a deployment group of an application, by names; and where it is."""

    kind: str
    account: str
    region: str
    of: str
    name: str


def changed(event: object) -> frozenset[Changed]:
    """What the event is about, as it names it: `account` and `region` are those that it comes from, also where it was
    forwarded from another bus."""
    if not isinstance(event, Mapping):
        return frozenset()
    kind = event.get("source"), event.get("detail-type")
    if kind == ("aws.ecs", "ECS Deployment State Change"):
        return frozenset(_services(event))
    if kind == ("aws.codedeploy", "CodeDeploy Deployment State-change Notification"):
        return frozenset(_groups(event))
    return frozenset()


def _services(event: Mapping[str, Any]) -> list[Changed]:
    """The service stands in `resources`; `detail` names its deployment by an id that no other operation knows."""
    resources = event.get("resources")
    texts = [each for each in resources if isinstance(each, str)] if isinstance(resources, list) else []
    arns = [found.groups() for each in texts if (found := _SERVICE.fullmatch(each))]
    return [Changed("ecs", account, region, cluster, service) for region, account, cluster, service in arns]


def _groups(event: Mapping[str, Any]) -> list[Changed]:
    detail = event.get("detail")
    named = detail if isinstance(detail, Mapping) else {}
    found = event.get("account"), event.get("region"), named.get("application"), named.get("deploymentGroup")
    account, region, application, group = (each if isinstance(each, str) else "" for each in found)
    made = Changed("codedeploy", account, region, application, group)
    return [made] if account and region and application and group else []


def place(target: Target, account: str, region: str) -> Changed:
    """Where the target is; `account`, `region`: the bot's own."""
    of, name = target.cluster, target.service
    if target.kind == "codedeploy":
        of, name = target.codedeploy_application, target.codedeploy_group
    theirs = target.role_arn.split(":")[4] if target.role_arn else account
    return Changed(target.kind, theirs, target.region or region, of, name)
