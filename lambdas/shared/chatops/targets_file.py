"""`targets.yaml`, validated: an error names the file's line and the field.

targets:
  prod:
    repository: acme/checkout-api        # default: GITHUB_ID/GITHUB_REPO
    event_type: prod_deploy              # default: <name>_deploy
    ecs: {cluster: checkout, service: checkout-api}
    policy: {approvers: [U0LEE0001], quorum: 1, rollback_approval: false}
    timing: {approval: 1800}
    freeze: [{days: [sat, sun], zone: Asia/Seoul}]   # see freeze_file
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from chatops import config, freeze_file
from chatops.errors import InvalidConfiguration
from chatops.platforms.ecs_pauses import PAUSE_STAGES
from chatops.targets import (
    CODEDEPLOY_NAME,
    ECS_NAME,
    OWNER,
    REPOSITORY,
    Policy,
    Target,
    Timing,
    approvers_of,
    default_repository,
)
from chatops.words import RESERVED
from chatops.yaml_places import Where, composed

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REPOSITORY = re.compile(f"{OWNER.pattern}/{REPOSITORY.pattern}")
_PERSON, _GROUP = re.compile(r"[UW][A-Z0-9]{2,20}"), re.compile(r"S[A-Z0-9]{2,20}")
_ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@/-]{1,512}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S{1,512}")
_LISTS = {
    "approvers": _PERSON,
    "approver_groups": _GROUP,
    "requesters": _PERSON,
    "requester_groups": _GROUP,
}


_FIELDS = (
    "repository", "event_type", "ecs", "codedeploy", "region", "role_arn", "claim", "strategy", "pause_at", "policy",
    "timing", "freeze",
)  # fmt: skip
_ECS = ("cluster", "service", "task_role", "execution_role")
_CODEDEPLOY = ("application", "group")
_POLICY, _TIMING = ([field.name for field in fields(kind)] for kind in (Policy, Timing))
_INSIDE = {"ecs": _ECS, "codedeploy": _CODEDEPLOY, "policy": _POLICY, "timing": _TIMING}
_INNER = {name: f"{place}.{name}" for place, names in _INSIDE.items() for name in names if name not in _FIELDS}


def _policy(where: Where, inherited: Policy) -> Policy:
    given: dict[str, Any] = {}
    for name, place in where.fields(_POLICY).items():
        if name in _LISTS:
            items = place.members()
            for item, node in items:
                if not isinstance(item, str) or not _LISTS[name].fullmatch(item):
                    raise place.error("at_slack_id", node, found=repr(str(item)[:80]))
            given[name] = tuple(dict.fromkeys(item for item, _ in items))
        elif name == "quorum":
            given[name] = place.number(1000, "what_number")
        else:
            given[name] = bool(place.value(bool, "what_boolean"))
    approves = bool(given.get("approvers") or given.get("approver_groups"))
    base = {f.name: getattr(inherited, f.name) for f in fields(Policy)}
    if approves:
        base |= {"approvers": (), "approver_groups": (), "deploy_approval": True, "rollback_approval": True}
    return Policy(**(base | given))


def _pause_at(target: Mapping[str, Where]) -> tuple[str, ...]:
    place = target["pause_at"]
    if "ecs" not in target or "strategy" not in target or target["strategy"].raw() == "rolling":
        raise place.error("at_pause_needs")
    items = place.members("what_stages")
    for item, node in items:
        if item not in PAUSE_STAGES:
            raise place.error("at_pause", node, found=repr(str(item)[:80]), known=", ".join(PAUSE_STAGES))
    return tuple(dict.fromkeys(str(item) for item, _ in items))


def _target(name: str, where: Where, env: Mapping[str, str]) -> Target:
    place = where.fields(_FIELDS, _INNER)
    if "repository" not in place and not (config.text(env, "GITHUB_ID") and config.text(env, "GITHUB_REPO")):
        raise where.error("at_no_repository")
    ecs = place["ecs"].fields(_ECS) if "ecs" in place else {}
    deploy = place["codedeploy"].fields(_CODEDEPLOY) if "codedeploy" in place else {}
    if ecs and deploy:
        raise where.error("at_both")
    for kind, given, needed in (("ecs", ecs, ("cluster", "service")), ("codedeploy", deploy, ("application", "group"))):
        if kind in place and (missing := [n for n in needed if n not in given]):
            raise place[kind].error("at_lacks", name=missing[0])
    approvers = approvers_of(env)
    inherited = Policy(
        approvers=tuple(a for a in approvers if not a.startswith("S")),
        approver_groups=tuple(a for a in approvers if a.startswith("S")),
        deploy_approval=config.boolean(env, "DEPLOY_APPROVAL_REQUIRED", default=bool(approvers)),
        rollback_approval=config.boolean(env, "ROLLBACK_APPROVAL_REQUIRED", default=bool(approvers)),
    )
    timing = place["timing"].fields(_TIMING) if "timing" in place else {}
    return Target(
        name=name,
        repository=place["repository"].text(_REPOSITORY, "what_owner_name")
        if "repository" in place
        else default_repository(env),
        event_type=place["event_type"].text(re.compile(r"\S{1,100}"), "what_characters")
        if "event_type" in place
        else f"{name}_deploy",
        cluster=ecs["cluster"].text(ECS_NAME, "what_cluster_name") if ecs else "",
        service=ecs["service"].text(ECS_NAME, "what_service_name") if ecs else "",
        task_role=ecs["task_role"].text(_ROLE_NAME, "what_role_name") if "task_role" in ecs else "",
        execution_role=ecs["execution_role"].text(_ROLE_NAME, "what_role_name") if "execution_role" in ecs else "",
        codedeploy_application=deploy["application"].text(CODEDEPLOY_NAME, "what_codedeploy_name") if deploy else "",
        codedeploy_group=deploy["group"].text(CODEDEPLOY_NAME, "what_codedeploy_name") if deploy else "",
        region=place["region"].text(config.REGION, "what_region") if "region" in place else "",
        role_arn=place["role_arn"].text(_ROLE, "what_role") if "role_arn" in place else "",
        claim=bool(place["claim"].value(bool, "what_boolean")) if "claim" in place else True,
        strategy=place["strategy"].text(re.compile("rolling|blue_green|linear|canary"), "what_strategy")
        if "strategy" in place
        else "",
        pause_at=_pause_at(place) if "pause_at" in place else (),
        policy=_policy(place["policy"], inherited) if "policy" in place else inherited,
        timing=Timing(**{n: p.seconds() for n, p in timing.items()}),
        freeze=freeze_file.read(place["freeze"]) if "freeze" in place else (),
    )


def load(path: Path, env: Mapping[str, str]) -> dict[str, Target]:
    """Read and check the file. Raises InvalidConfiguration with file, line and field."""
    root = composed(path)
    if root is None:
        raise InvalidConfiguration("file_empty", file=path.name)
    top = Where(path.name, root, "").fields({"targets"})
    if "targets" not in top:
        raise InvalidConfiguration("file_without_targets", file=path.name)
    found: dict[str, Target] = {}
    for name, where in top["targets"].fields(set()).items():
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise where.error("at_target_name")
        found[name] = _target(name, where, env)
    if not found:
        raise InvalidConfiguration("file_names_none", file=path.name)
    return found
