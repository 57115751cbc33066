"""Who is in the workspace because the targets name them, and what each may do.

Ids say nothing about the people behind them: those whom nobody knows get a name here, and user groups get members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from chatops.domain.target import Policy, Target
from fakes.slack.directory import U_BOT, U_DEV, U_KIM, U_LEE, U_OUT, User
from fakes.slack.workspace import Workspace

NAMES = (
    "alex", "robin", "sam", "yuna", "noor", "jonas", "ines", "minho", "priya", "tomas", "aiko", "femi", "clara",
    "david", "elif", "hugo", "jisoo", "kofi", "lena", "mateo", "nadia", "oskar", "paula", "rafael", "sora", "vera",
)  # fmt: skip


@dataclass(frozen=True)
class Actor:
    """Somebody one can act as, and what they are to the bot."""

    id: str
    name: str
    role: str


@dataclass(frozen=True)
class Cast:
    """Who may ask for a deployment of a target, and who may decide about that person's request."""

    requester: str
    deciders: tuple[str, ...]


def introduce(space: Workspace, targets: Mapping[str, Target], channel: str) -> None:
    """Make everybody whom these targets name, the members of their groups, and the channel, where they are missing."""
    for target in targets.values():
        for user in (*target.policy.approvers, *target.policy.requesters):
            _person(space, user)
    for target in targets.values():
        rules = target.policy
        for group in rules.approver_groups:  # one of them may ask, and the others decide
            _members(space, group, (U_LEE, U_KIM), rules.quorum + 1)
        for group in rules.requester_groups:
            _members(space, group, (U_DEV, *approvers(space, target)[:1]), 1)
    known = space.channels.get(channel)
    if known is None:
        known = replace(space.channels["C0DEPLOY1"], id=channel)
    everybody = {user.id for user in space.users.values() if not user.deleted}
    space.channels[channel] = replace(known, members=known.members | everybody | {U_BOT})


def _person(space: Workspace, user: str) -> str:
    if user not in space.users:
        taken = {one.name for one in space.users.values()}
        free = next((name for name in NAMES if name not in taken), f"person{len(space.users)}")
        space.users[user] = User(user, free, free.capitalize())
    return user


def _members(space: Workspace, group: str, first: tuple[str, ...], count: int) -> None:
    found = space.groups.setdefault(group, list(first))
    while len(found) < count:
        number = len(found) + 1
        found.append(_person(space, f"U0{group[1:]}{number:02}"))


def _in(space: Workspace, groups: Iterable[str]) -> list[str]:
    return [user for group in groups for user in space.groups.get(group, [])]


def approvers(space: Workspace, target: Target) -> list[str]:
    """Everybody who may decide about deployments of the target, each once."""
    return list(dict.fromkeys([*target.policy.approvers, *_in(space, target.policy.approver_groups)]))


def requesters(space: Workspace, target: Target) -> list[str]:
    """Those whom the target admits by name or group; empty where everybody may ask."""
    return list(dict.fromkeys([*target.policy.requesters, *_in(space, target.policy.requester_groups)]))


def enough(policy: Policy) -> Policy:
    """The policy, with more approvers and a lower quorum where those whom it names could never decide about a request
    (groups get as many members as they need)."""
    asks = set() if policy.requester_groups else set(policy.requesters or (U_DEV, U_OUT))
    own = asks and asks <= set(policy.approvers) and not policy.own_approval
    if policy.approver_groups or len(policy.approvers) - bool(own) >= policy.quorum:
        return policy
    approvers = tuple(dict.fromkeys((*policy.approvers, U_LEE, U_KIM)))
    return replace(policy, approvers=approvers, quorum=min(policy.quorum, len(approvers) - 1))


def cast(space: Workspace, target: Target) -> Cast:
    """The requester is somebody who need not approve, if there is one."""
    deciders, asks = approvers(space, target), requesters(space, target) or [U_DEV, U_OUT]
    requester = next((user for user in asks if user not in deciders), asks[0])
    return Cast(requester, tuple(one for one in deciders if target.policy.own_approval or one != requester))


def actors(space: Workspace, targets: Mapping[str, Target]) -> tuple[Actor, ...]:
    """A developer, everybody whom a target names, and an outsider."""
    roles: dict[str, dict[str, list[str]]] = {U_DEV: {}}
    for name, target in targets.items():
        for role, users in (("approver", approvers(space, target)), ("requester", requesters(space, target))):
            for user in users:
                roles.setdefault(user, {}).setdefault(role, []).append(name)
    named = {role: [n for n, t in targets.items() if who(space, t)] for role, who in _WHO.items()}
    roles.setdefault(U_OUT, {})
    return tuple(Actor(user, space.users[user].name, _role(user, of, named)) for user, of in roles.items())


_WHO = {"approver": approvers, "requester": requesters}


def _role(user: str, of: Mapping[str, list[str]], named: Mapping[str, list[str]]) -> str:
    """`approver`, or `approver of prod` where others approve elsewhere."""
    if not of:
        return "outsider" if user == U_OUT else "developer"
    parts = [role if targets == named[role] else f"{role} of {_listed(targets)}" for role, targets in of.items()]
    return ", ".join(parts)


def _listed(targets: list[str]) -> str:
    return ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")
