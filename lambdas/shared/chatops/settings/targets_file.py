"""`targets.yaml`, validated: an error names the file's line and the field.

targets:
  prod:
    repository: acme/checkout-api        # default: GITHUB_ID/GITHUB_REPO
    event_type: prod_deploy              # default: <name>_deploy
    workflow: .github/workflows/x.yml    # default: as `make caller` names it
    pipeline: acme/platform-deploy       # default: the one that the workflow calls
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
from typing import TYPE_CHECKING, Any

import yaml

from chatops.domain.command_text import NO_TARGET
from chatops.domain.errors import InvalidConfiguration
from chatops.domain.target import LONGEST, Policy, Target, Timing
from chatops.platforms.ecs_pauses import PAUSE_STAGES
from chatops.settings import config, freeze_file
from chatops.settings.targets import CODEDEPLOY_NAME, ECS_NAME, OWNER, REPOSITORY, default_policy, default_repository
from chatops.settings.yaml_places import Where, composed

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REPOSITORY = re.compile(f"{OWNER.pattern}/{REPOSITORY.pattern}")
_PERSON, _GROUP = re.compile(r"[UW][A-Z0-9]{2,20}"), re.compile(r"S[A-Z0-9]{2,20}")
_ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@/-]{1,512}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S{1,512}")
_EVENT_TYPE = re.compile(r"\S{1,100}")
_WORKFLOW = re.compile(r"\.github/workflows/[A-Za-z0-9._-]{1,100}\.ya?ml")
_TAGS = re.compile(r"(?=.{1,128}$)[A-Za-z0-9._+/@-]*\*[A-Za-z0-9._+/@-]*")
_STRATEGY = re.compile("rolling|blue_green|linear|canary")
_BRANCH = re.compile(r"(?=.{1,120}$)(?!.*(?:\*\*|//|\.\.|/$))[A-Za-z0-9*][A-Za-z0-9._+/@*-]*")
_LISTS = {
    "approvers": _PERSON,
    "approver_groups": _GROUP,
    "requesters": _PERSON,
    "requester_groups": _GROUP,
}
_INSTEAD = {"approvers": "approver_groups", "requesters": "requester_groups"}
_INSTEAD |= {groups: people for people, groups in _INSTEAD.items()}
"""Where an id of the other kind belongs."""


_FIELDS = (
    "repository", "event_type", "workflow", "pipeline", "ecs", "codedeploy", "region", "role_arn", "claim", "strategy",
    "pause_at", "policy", "timing", "freeze", "tags",
)  # fmt: skip
_ECS = ("cluster", "service", "task_role", "execution_role")
_CODEDEPLOY = ("application", "group")
_POLICY, _TIMING = ([field.name for field in fields(kind)] for kind in (Policy, Timing))
_INSIDE = {"ecs": _ECS, "codedeploy": _CODEDEPLOY, "policy": _POLICY, "timing": _TIMING}
_INNER = {name: f"{place}.{name}" for place, names in _INSIDE.items() for name in names if name not in _FIELDS}


def _members(place: Where, pattern: re.Pattern[str], otherwise: TextKey, instead: str = "") -> tuple[str, ...]:
    """`instead`: the list in which ids of the other kind belong."""
    found: dict[str, None] = {}
    for item, node in place.members():
        if pattern.fullmatch(item):
            found[item] = None
        elif instead and _LISTS[instead].fullmatch(item):
            place.faults.note(place.error("at_slack_id_other", node, found=repr(item), name=instead))
        else:
            place.faults.note(place.error(otherwise, node, found=repr(item[:80])))
    return tuple(found)


def _policy(where: Where, inherited: Policy, after: dict[str, Where]) -> Policy:
    """`after`: takes the place of that field, by the name that it holds."""
    given: dict[str, Any] = {}
    places = where.fields(_POLICY)
    for name, place in places.items():
        if name in _LISTS:
            given[name] = where.faults.read((), _members, place, _LISTS[name], "at_slack_id", _INSTEAD[name])
        elif name == "branches":
            given[name] = where.faults.read((), _members, place, _BRANCH, "at_branch")
        elif name == "after":
            given[name] = where.faults.read("", place.text, _NAME, "what_target")
            after[given[name]] = place
        elif name == "quorum":
            given[name] = where.faults.read(1, place.number, 1000, "what_number")
        else:
            given[name] = bool(where.faults.read(False, place.value, bool, "what_boolean"))
    approves = bool(given.get("approvers") or given.get("approver_groups"))
    base = {f.name: getattr(inherited, f.name) for f in fields(Policy)}
    if approves:
        base |= {"approvers": (), "approver_groups": (), "deploy_approval": True, "rollback_approval": True}
    made = Policy(**(base | given))
    # how many a user group has is only known when somebody asks
    if made.approvers and not made.approver_groups and made.quorum > len(made.approvers):
        where.faults.note(places.get("quorum", where).error("at_quorum", count=len(made.approvers)))
    return made


def _pause_at(place: Where, target: Mapping[str, Where]) -> tuple[str, ...]:
    if "ecs" not in target or "strategy" not in target or target["strategy"].raw() == "rolling":
        raise place.error("at_pause_needs")
    items = place.members("what_stages")
    for item, node in items:
        if item not in PAUSE_STAGES:
            raise place.error("at_pause", node, found=repr(item[:80]), known=", ".join(PAUSE_STAGES))
    return tuple(dict.fromkeys(item for item, _ in items))


def _platform(where: Where, place: Mapping[str, Where], name: str, known: tuple[str, ...]) -> dict[str, Where]:
    """The fields of `ecs` or `codedeploy`, of which the first two are needed; empty where the target has none."""
    if name not in place:
        return {}
    found = where.faults.read({}, place[name].fields, known)
    if isinstance(place[name].node, yaml.MappingNode) and (missing := [n for n in known[:2] if n not in found]):
        where.faults.note(place[name].error("at_lacks", name=missing[0]))
    return found


def _target(name: str, where: Where, env: Mapping[str, str], inherited: Policy, after: dict[str, Where]) -> Target:
    faults = where.faults
    place = where.fields(_FIELDS, _INNER)
    ecs = _platform(where, place, "ecs", _ECS)
    deploy = _platform(where, place, "codedeploy", _CODEDEPLOY)
    if ecs and deploy:
        faults.note(where.error("at_both"))

    def text(fields: Mapping[str, Where], name: str, pattern: re.Pattern[str], what: TextKey) -> str:
        return faults.read("", fields[name].text, pattern, what) if name in fields else ""

    def repository() -> str:
        if "repository" in place:
            return place["repository"].text(_REPOSITORY, "what_owner_name")
        if not (config.text(env, "GITHUB_ID") and config.text(env, "GITHUB_REPO")):
            raise where.error("at_no_repository")
        return default_repository(env)

    timing = faults.read({}, place["timing"].fields, _TIMING) if "timing" in place else {}
    seconds = {name: faults.read(1, at.seconds) for name, at in timing.items()}
    pause_at = faults.read((), _pause_at, place["pause_at"], place) if "pause_at" in place else ()
    longest = Timing(**seconds).longest(len(pause_at))
    if longest > LONGEST:
        faults.note(place["timing"].error("at_too_long", seconds=longest))
    return Target(
        name=name,
        repository=faults.read("", repository),
        event_type=text(place, "event_type", _EVENT_TYPE, "what_characters") or f"{name}_deploy",
        cluster=text(ecs, "cluster", ECS_NAME, "what_cluster_name"),
        service=text(ecs, "service", ECS_NAME, "what_service_name"),
        task_role=text(ecs, "task_role", _ROLE_NAME, "what_role_name"),
        execution_role=text(ecs, "execution_role", _ROLE_NAME, "what_role_name"),
        codedeploy_application=text(deploy, "application", CODEDEPLOY_NAME, "what_codedeploy_name"),
        codedeploy_group=text(deploy, "group", CODEDEPLOY_NAME, "what_codedeploy_name"),
        region=text(place, "region", config.REGION, "what_region"),
        role_arn=text(place, "role_arn", _ROLE, "what_role"),
        claim=bool(faults.read(True, place["claim"].value, bool, "what_boolean")) if "claim" in place else True,
        workflow=text(place, "workflow", _WORKFLOW, "what_workflow"),
        pipeline=text(place, "pipeline", _REPOSITORY, "what_owner_name"),
        strategy=text(place, "strategy", _STRATEGY, "what_strategy"),
        pause_at=pause_at,
        policy=faults.read(inherited, _policy, place["policy"], inherited, after) if "policy" in place else inherited,
        timing=Timing(**seconds),
        freeze=faults.read((), freeze_file.read, place["freeze"]) if "freeze" in place else (),
        tags=text(place, "tags", _TAGS, "what_tag_pattern"),
    )


def _assert_comes_before(place: Where, target: Target, known: Mapping[str, Target]) -> None:
    """Raises InvalidConfiguration unless what comes before the target is another one of the same repository, and so
    on."""
    before = known.get(target.policy.after)
    if before is None:
        raise place.error("at_after_unknown", found=target.policy.after, known=", ".join(known))
    if before.repository.lower() != target.repository.lower():
        raise place.error("at_after_repository", found=before.name, other=before.repository, own=target.repository)
    seen = [target.name]
    while before is not None:
        if before.name in seen:
            raise place.error("at_after_circle", names=" → ".join([*seen, before.name]))
        seen.append(before.name)
        before = known.get(before.policy.after)


def load(path: Path, env: Mapping[str, str]) -> dict[str, Target]:
    """Read and check the file. Raises InvalidConfiguration with all faults, each with file, line and field."""
    root = composed(path)
    if root is None:
        raise InvalidConfiguration("file_empty", file=path.name)
    faults = config.Faults()
    top = Where(path.name, root, "", faults).fields({"targets"})
    if "targets" not in top:
        faults.note(InvalidConfiguration("file_without_targets", file=path.name))
        faults.check()
    inherited = default_policy(env, faults)
    found: dict[str, Target] = {}
    after: dict[str, dict[str, Where]] = {}
    for name, where in top["targets"].fields(set()).items():
        if not _NAME.fullmatch(name) or name in NO_TARGET:
            faults.note(where.error("at_target_name"))
        elif target := faults.read(None, _target, name, where, env, inherited, after.setdefault(name, {})):
            found[name] = target
    faults.check()
    for name, places in after.items():
        for place in places.values():
            faults.read(None, _assert_comes_before, place, found[name], found)
    faults.check()
    if not found:
        raise InvalidConfiguration("file_names_none", file=path.name)
    return found
