"""The targets: what may be deployed where, by whom, and how long each part may take.

With the plain variables alone there is one target, `dev`; a `targets.yaml` (`CHATOPS_TARGETS_FILE`) holds several.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.reason import Reason
from chatops.domain.target import Policy, Target
from chatops.settings import config

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

PACKED = os.path.join(os.path.dirname(__file__), "..", "..", "targets.yaml")
"""Where an installation's own file lies, beside this package in the layer."""

OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # an underscore: managed users, `name_company`
REPOSITORY = re.compile(r"(?!\.\.?$)(?!.*\.git$)[A-Za-z0-9._-]{1,100}")
"""GitHub drops `.git` from a name and takes `.` and `..` for steps in a path."""
ECS_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
CODEDEPLOY_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html and
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html"""
_SLACK_ID = re.compile(r"[UWS][A-Z0-9]{2,20}")


def approvers_of(env: Mapping[str, str]) -> tuple[str, ...]:
    """`SLACK_APPROVERS`: users and user groups. Raises InvalidConfiguration for what is no id: nobody would be told."""
    found = config.names(env, "SLACK_APPROVERS")
    if odd := next((name for name in found if not _SLACK_ID.fullmatch(name)), ""):
        raise InvalidConfiguration("approvers_odd", name="SLACK_APPROVERS", found=repr(odd[:200]))
    return found


def _github_name(env: Mapping[str, str], name: str, pattern: re.Pattern[str], what: TextKey) -> str:
    found = config.required(env, name, what)
    if not pattern.fullmatch(found):
        raise InvalidConfiguration("not_like", name=name, found=repr(found[:200]), what=Reason(what))
    return found


def default_repository(env: Mapping[str, str]) -> str:
    """`GITHUB_ID`/`GITHUB_REPO`. Raises InvalidConfiguration."""
    faults = config.Faults()
    owner = faults.read("", _github_name, env, "GITHUB_ID", OWNER, "what_owner")
    name = faults.read("", _github_name, env, "GITHUB_REPO", REPOSITORY, "what_repository")
    faults.check()
    return f"{owner}/{name}"


def default_policy(env: Mapping[str, str], faults: config.Faults) -> Policy:
    """Who approves what, by the variables alone; what is wrong with them is noted in `faults`."""
    approvers = faults.read((), approvers_of, env)
    groups = tuple(a for a in approvers if a.startswith("S"))
    return Policy(
        approvers=tuple(a for a in approvers if a not in groups),
        approver_groups=groups,
        deploy_approval=faults.read(True, config.boolean, env, "DEPLOY_APPROVAL_REQUIRED", default=bool(approvers)),
        rollback_approval=faults.read(True, config.boolean, env, "ROLLBACK_APPROVAL_REQUIRED", default=bool(approvers)),
    )


def from_environment(env: Mapping[str, str]) -> dict[str, Target]:
    """The single target `dev` that the plain variables describe. Raises InvalidConfiguration with all faults."""
    faults = config.Faults()

    def name(variable: str, pattern: re.Pattern[str], what: TextKey) -> str:
        return faults.read("", config.like, env, variable, pattern, what)

    def assert_with(variable: str, other: str, what: TextKey) -> None:
        if config.text(env, variable) and not config.text(env, other):
            faults.note(InvalidConfiguration("half_set", name=variable, other=other, what=Reason(what)))

    repository = faults.read("", default_repository, env)
    cluster = name("ECS_CLUSTER_NAME", ECS_NAME, "what_cluster_name")
    service = name("ECS_SERVICE_NAME", ECS_NAME, "what_service_name")
    assert_with("ECS_SERVICE_NAME", "ECS_CLUSTER_NAME", "what_cluster")
    application = name("CODEDEPLOY_APP_NAME", CODEDEPLOY_NAME, "what_codedeploy_name")
    group = name("CODEDEPLOY_GROUP_NAME", CODEDEPLOY_NAME, "what_codedeploy_name")
    assert_with("CODEDEPLOY_APP_NAME", "CODEDEPLOY_GROUP_NAME", "what_group")
    made = Target(
        name="dev",
        repository=repository,
        event_type="dev_deploy",
        cluster=cluster if service else "",
        service=service,
        codedeploy_application=application,
        codedeploy_group=group,
        policy=default_policy(env, faults),
    )
    faults.check()
    return {"dev": made}


_TRACE = "_X_AMZN_TRACE_ID"
"""Lambda's runtime client sets it anew for each invocation: what was read during the start would be read again.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""


@lru_cache(maxsize=1)
def _cached(path: str, fingerprint: tuple[tuple[str, str], ...]) -> dict[str, Target]:
    env = dict(fingerprint)
    if path:
        # YAML is only paid for by installations that use it
        from pathlib import Path

        from chatops.settings.targets_file import load

        return load(Path(path), env)
    return from_environment(env)


def targets() -> dict[str, Target]:
    """All targets by name, in the file's order. Raises InvalidConfiguration."""
    path = os.environ.get("CHATOPS_TARGETS_FILE", "").strip()
    if not path:
        path = PACKED if os.path.isfile(PACKED) else ""
    return _cached(path, tuple(sorted((name, value) for name, value in os.environ.items() if name != _TRACE)))
