"""What the functions may do to the targets: IAM statements, made from the targets; pure.

A target of the stack's own account is named to the letter. One with a `role_arn` (another account, or a narrower role)
gives only the right to assume exactly that role, whose own policy is templates/target-role.yaml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from chatops.domain.target import Target

_KNOWS_NONE = "The action knows no resources."
_LOOK = ("ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments")
_LOOK_CLOSELY = (*_LOOK, "ecs:DescribeServiceRevisions")


@dataclass(frozen=True)
class Access:
    """What one function does to a target, by what the actions work on."""

    service: tuple[str, ...]
    group: tuple[str, ...]
    reads_task_definitions: bool = True
    deploys: bool = False
    continues: bool = False
    watches_traffic: bool = False
    reads_tasks: bool = False


_LAST_DEPLOYED = ("codedeploy:GetDeploymentGroup", "codedeploy:GetDeployment")
_EVERY_DEPLOYMENT = ("codedeploy:ListDeployments", "codedeploy:BatchGetDeployments")

ACCESS: Mapping[str, Access] = {
    "PlanFunction": Access(_LOOK_CLOSELY, _LAST_DEPLOYED),
    "EcsFunction": Access(_LOOK_CLOSELY, (*_LAST_DEPLOYED, *_EVERY_DEPLOYMENT), watches_traffic=True, reads_tasks=True),
    "PromoteFunction": Access(
        (*_LOOK_CLOSELY[1:], "ecs:ContinueServiceDeployment"),
        ("codedeploy:GetDeployment",),
        reads_task_definitions=False,
        continues=True,
    ),
    "ReconcileFunction": Access(
        _LOOK_CLOSELY, ("codedeploy:GetDeployment", *_EVERY_DEPLOYMENT), watches_traffic=True, reads_tasks=True
    ),
    "RestoreFunction": Access(
        (*_LOOK_CLOSELY, "ecs:UpdateService", "ecs:StopServiceDeployment"),
        (*_LAST_DEPLOYED, *_EVERY_DEPLOYMENT, "codedeploy:CreateDeployment"),
        deploys=True,
        continues=True,
    ),
}
"""The functions that ask or change targets (chatops/platforms), by their names in template.yaml."""


@dataclass(frozen=True)
class Place:
    """Where a target is: names, or references to the template's parameters."""

    region: str = "${AWS::Region}"
    cluster: str = ""
    service: str = ""
    task_role: str = "${EcsTaskRoleName}"
    execution_role: str = "${EcsTaskExecutionRoleName}"
    application: str = ""
    group: str = ""
    role_arn: str = ""


ECS = Place(cluster="${EcsClusterName}", service="${EcsServiceName}")
CODEDEPLOY = Place(application="${CodeDeployAppName}", group="${CodeDeployGroupName}")
PARAMETERS = (ECS, CODEDEPLOY)
"""The one target that the stack's parameters describe."""


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. `why` explains a wildcard that cannot be avoided, or what nobody would expect."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[str, str] | None = None
    why: str = ""


class Unnameable(ValueError):
    """A target that no policy can name to the letter; the text says which, and what to write instead."""


# what targets.yaml may name and a policy may not; the names of ECS are checked when the file is read
_FORMS = {
    "codedeploy_application": (re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}"), "the application's name"),
    "codedeploy_group": (re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}"), "the deployment group's name"),
    "role_arn": (re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}"), "one role's ARN"),
}


def places(targets: Iterable[Target]) -> tuple[Place, ...]:
    """The places of targets whose truth is asked somewhere. Raises Unnameable (a wildcard would be more than meant)."""
    found: dict[Place, None] = {}
    for target in targets:
        for field, (form, what) in _FORMS.items():
            value = str(getattr(target, field))
            if value and not form.fullmatch(value):
                raise Unnameable(f"target {target.name}: {field} is {value!r}; the stack's policies need {what}.")
        if not target.service and not target.codedeploy_application:
            continue
        if target.role_arn:
            found[Place(role_arn=target.role_arn)] = None
            continue
        found[
            Place(
                region=target.region or Place.region,
                cluster=target.cluster,
                service=target.service,
                task_role=target.task_role or Place.task_role,
                execution_role=target.execution_role or Place.execution_role,
                application=target.codedeploy_application,
                group=target.codedeploy_group,
            )
        ] = None
    return tuple(found)


def of_function(name: str, where: Iterable[Place]) -> list[Statement]:
    """The statements about targets in the policy of a function of template.yaml."""
    known = tuple(where)
    own = [place for place in known if not place.role_arn]
    roles = tuple(sorted({place.role_arn for place in known if place.role_arn}))
    made = [*_ecs(ACCESS[name], [p for p in own if p.service])]
    made += _codedeploy(ACCESS[name], [p for p in own if p.application])
    return [*made, Statement("OtherAccounts", ("sts:AssumeRole",), roles)] if roles else made


def of_role(kind: str) -> list[Statement]:
    """The statements of a role in another account: what all functions together do to a target of that kind."""
    every = Access(
        service=tuple(dict.fromkeys(action for each in ACCESS.values() for action in each.service)),
        group=tuple(dict.fromkeys(action for each in ACCESS.values() for action in each.group)),
        deploys=True,
        continues=True,
        watches_traffic=True,
        reads_tasks=True,
    )
    return _ecs(every, [ECS]) if kind == "ecs" else _codedeploy(every, [CODEDEPLOY])


def of_boundary() -> list[Statement]:
    """The most that a function may do to whatever target (templates/bootstrap.yaml). Which services and groups there
    are is the stack's own matter, and changes more often."""
    every = [statement for kind in ("ecs", "codedeploy") for statement in of_role(kind) if not statement.condition]
    made = []
    for service, places in (("ecs", ("service*", "task/*")), ("codedeploy", ("*",))):
        actions = (action for each in every if each.resources != ("*",) for action in each.actions)
        ours = tuple(dict.fromkeys(action for action in actions if action.startswith(f"{service}:")))
        where = tuple(f"arn:${{AWS::Partition}}:{service}:*:${{AWS::AccountId}}:{each}" for each in places)
        made.append(Statement(f"{service.title()}Targets", ours, where))
    without = tuple(action for each in every if each.resources == ("*",) for action in each.actions)
    return [*made, Statement("TargetsWithoutResources", without, ("*",), why="The actions know no resources.")]


def _ecs(access: Access, where: list[Place]) -> list[Statement]:
    if not where:
        return []
    services = tuple(_service(place, kind) for place in where for kind in _kinds(access.service))
    made = [Statement("Service", access.service, services)]
    if access.reads_task_definitions:
        action = ("ecs:DescribeTaskDefinition",)
        made.append(Statement("TaskDefinitions", action, ("*",), why=_KNOWS_NONE))
    if access.reads_tasks:
        account = "${AWS::AccountId}"
        tasks = tuple(f"arn:${{AWS::Partition}}:ecs:{p.region}:{account}:task/{p.cluster}/*" for p in where)
        made.append(Statement("Tasks", ("ecs:DescribeTasks",), tuple(dict.fromkeys(tasks))))
        made.append(
            Statement("ListTasks", ("ecs:ListTasks",), ("*",), why="The action knows container instances only.")
        )
    if access.deploys:
        names = dict.fromkeys(name for place in where for name in (place.execution_role, place.task_role))
        roles = tuple(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}" for name in names)
        only = ("iam:PassedToService", "ecs-tasks.amazonaws.com")
        made.append(Statement("TaskRoles", ("iam:PassRole",), roles, only))
    return made


def _kinds(actions: tuple[str, ...]) -> Iterator[str]:
    """What the actions work on.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html"""
    yield ""
    if any("ServiceDeployment" in action and ":List" not in action for action in actions):
        yield "-deployment"
    if any("ServiceRevision" in action for action in actions):
        yield "-revision"


def _service(place: Place, kind: str) -> str:
    """A service, or all that AWS makes up ids for below it."""
    tail = "/*" if kind else ""
    account = f"arn:${{AWS::Partition}}:ecs:{place.region}:${{AWS::AccountId}}"
    return f"{account}:service{kind}/{place.cluster}/{place.service}{tail}"


def _codedeploy(access: Access, where: list[Place]) -> list[Statement]:
    if not where:
        return []

    def arn(place: Place, rest: str) -> str:
        return f"arn:${{AWS::Partition}}:codedeploy:{place.region}:${{AWS::AccountId}}:{rest}"

    groups = tuple(arn(p, f"deploymentgroup:{p.application}/{p.group}") for p in where)
    made = [Statement("CodeDeploy", access.group, groups)]
    if access.deploys:
        why = "CreateDeployment registers the revision and reads the configuration that the group names."
        revisions = ("codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision")
        applications = tuple(dict.fromkeys(arn(p, f"application:{p.application}") for p in where))
        made += [
            Statement("CodeDeployRevisions", revisions, applications, why=why),
            Statement("StopCodeDeploy", ("codedeploy:StopDeployment",), ("*",), why=_KNOWS_NONE),
        ]
    if access.deploys or access.watches_traffic:
        configurations = tuple(dict.fromkeys(arn(p, "deploymentconfig:*") for p in where))
        made.append(Statement("CodeDeployConfigurations", ("codedeploy:GetDeploymentConfig",), configurations))
    if access.continues:
        made.append(Statement("ContinueCodeDeploy", ("codedeploy:ContinueDeployment",), ("*",), why=_KNOWS_NONE))
    if access.watches_traffic:
        targets = ("codedeploy:ListDeploymentTargets", "codedeploy:BatchGetDeploymentTargets")
        made.append(Statement("CodeDeployTraffic", targets, ("*",), why=_KNOWS_NONE))
    return made


def size(statements: Iterable[Statement]) -> int:
    """Characters of a policy as IAM counts them (without blanks), where every reference is as long as it can be."""
    document = [
        {
            "Sid": s.sid,
            "Effect": "Allow",
            "Action": s.actions,
            "Resource": s.resources,
            **({"Condition": {"StringEquals": dict([s.condition])}} if s.condition else {}),
        }
        for s in statements
    ]
    text = json.dumps(document, separators=(",", ":"))
    for name, length in (("Partition", 10), ("AccountId", 12), ("Region", 14)):
        text = text.replace(f"${{AWS::{name}}}", "x" * length)
    return len(re.sub(r"\$\{\w+\}", "x" * 64, text))
