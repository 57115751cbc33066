"""Are those whom the targets name real, active people, and are they enough?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatops.domain.target import Policy, Target
from doctor.installation import Installation
from doctor.result import NotLooked, Result, State, failed, ok, skipped, warning

_WHERE = "Set SLACK_APPROVERS, or the target's policy in targets.yaml, to "
_ID = "somebody who is here (profile, Copy member ID)."


def look(installation: Installation, _: str) -> Iterator[Result]:
    """By `users.info` and `usergroups.users.list`, each once; then every target's approvers are counted."""
    targets = installation.targets
    problems = [
        *(
            result
            for user, where in _named(targets, "approvers").items()
            for result in _person(installation, user, where)
        ),
        *(
            result
            for user, where in _named(targets, "requesters").items()
            for result in _person(installation, user, where, asks=True)
        ),
    ]
    groups = _named(targets, "approver_groups") | _named(targets, "requester_groups")
    problems += [result for group, where in groups.items() for result in _group(installation, group, where)]
    if not any(result.state is State.FAILED for result in problems):
        problems += [result for target in targets.values() for result in _enough(installation, target)]
    yield from problems
    if not problems:
        count = len(_named(targets, "approvers")) + len(_named(targets, "requesters")) + len(groups)
        yield ok(f"All {count} people and groups are there.") if count else skipped("No target names anybody.")


def _named(targets: Mapping[str, Target], field: str) -> dict[str, list[str]]:
    """Ids of that kind, each with the targets that name it."""
    found: dict[str, list[str]] = {}
    for name, target in targets.items():
        for one in getattr(target.policy, field):
            found.setdefault(one, []).append(name)
    return found


def _person(installation: Installation, user: str, where: list[str], *, asks: bool = False) -> Iterator[Result]:
    kind, targets = ("requester" if asks else "approver"), ", ".join(where)
    found: dict[str, Any] = installation.slack.ask("users.info", user=user).json
    if found.get("error") == "missing_scope":
        raise NotLooked("the scope users:read is missing; see Slack app")
    person = found.get("user") or {}
    if not found.get("ok"):
        problem = f"Slack knows no user {user}, {kind} of {targets} ({found.get('error')})."
    elif person.get("deleted"):
        problem = f"{_name(person)} ({user}), {kind} of {targets}, has left the workspace."
    elif person.get("is_bot"):
        problem = f"{_name(person)} ({user}), {kind} of {targets}, is a bot."
    elif asks and (person.get("is_restricted") or person.get("is_ultra_restricted")):
        problem = f"{_name(person)} ({user}), {kind} of {targets}, is a guest, and guests may not ask."
    else:
        return
    causes = "Their commands are refused." if asks else "An approval waits for somebody who will never press a button."
    yield failed(problem, causes, _WHERE + _ID)


def _name(person: Mapping[str, Any]) -> str:
    return str(person.get("real_name") or person.get("name") or "Somebody")


def _group(installation: Installation, group: str, where: list[str]) -> Iterator[Result]:
    found: dict[str, Any] = installation.slack.ask("usergroups.users.list", usergroup=group).json
    if found.get("error") == "missing_scope":
        raise NotLooked("the scope usergroups:read is missing; see Slack app")
    if found.get("ok") and found.get("users"):
        return
    what = "has no members" if found.get("ok") else f"is not known to Slack ({found.get('error')})"
    yield failed(
        f"The user group {group}, of {', '.join(where)}, {what}.",
        "Nobody of it can approve or ask; where it is asked, requests are refused.",
        f"{_WHERE}a user group that is enabled and has members (its id stands in its address: S…).",
    )


def _enough(installation: Installation, target: Target) -> Iterator[Result]:
    rules = target.policy
    if not (rules.deploy_approval or rules.rollback_approval):
        return
    count = len(_approvers(installation, rules))
    if not count:
        yield failed(
            f"{target.name} wants an approval, and nobody is named who may give it.",
            "Every request for it is refused.",
            "Name approvers (SLACK_APPROVERS, or the target's policy), or set DEPLOY_APPROVAL_REQUIRED and "
            "ROLLBACK_APPROVAL_REQUIRED (deploy_approval, rollback_approval in targets.yaml) to false.",
        )
    elif rules.quorum > count:
        yield failed(
            f"{target.name} wants {rules.quorum} approvals and names {count} approver{'s' if count != 1 else ''}.",
            "Every request for it is refused.",
            "Name more approvers in the target's policy, or lower its quorum.",
        )
    elif rules.quorum == count and not rules.own_approval:
        yield warning(
            f"{target.name} wants {rules.quorum} of {count} approver{'s' if count != 1 else ''}.",
            "What an approver asks for is refused: nobody approves their own request, and nobody is left.",
            "Name one more approver, or set own_approval: true in the target's policy.",
        )


def _approvers(installation: Installation, rules: Policy) -> set[str]:
    members = [
        str(user)
        for group in rules.approver_groups
        for user in installation.slack.ask("usergroups.users.list", usergroup=group).json.get("users", [])
    ]
    return {*rules.approvers, *members}
