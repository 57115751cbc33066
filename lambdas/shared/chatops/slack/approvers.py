"""Who approves a target's deployments: the people and user groups that its policy names."""

from __future__ import annotations

from chatops.domain.errors import Refusal, SlackRefused, SlackUnavailable
from chatops.domain.target import Policy, Target
from chatops.slack import people


def members(group: str, *, patience: float = 1.0) -> frozenset[str]:
    """The user group's members. Raises Refusal where Slack does not tell."""
    try:
        return people.group(group, patience=patience)
    except (SlackRefused, SlackUnavailable) as error:
        raise Refusal("group_unreadable", group=group, said=error.reason) from None


def is_named(policy: Policy, user: str, *, patience: float = 1.0) -> bool:
    """Whether the user is an approver, as Slack has the groups now. Raises Refusal where Slack does not tell."""
    return user in policy.approvers or any(user in members(g, patience=patience) for g in policy.approver_groups)


def may_ask(policy: Policy, user: str, *, patience: float = 1.0) -> bool:
    """Whether the policy lets this member deploy. Raises Refusal where Slack does not tell."""
    if not (policy.requesters or policy.requester_groups) or user in policy.requesters:
        return True
    return any(user in members(group, patience=patience) for group in policy.requester_groups)


def still_counts(target: Target | None, user: str, *, patience: float = 1.0) -> bool:
    """Whether somebody who was asked may still answer: they may have left the user group, or the policy, since. Where
    Slack does not tell, those who were asked may."""
    if target is None:
        return True
    try:
        return is_named(target.policy, user, patience=patience)
    except Refusal:
        return True


def break_glass(target: Target, user: str, *, patience: float = 1.0) -> None:
    """Whether this user may go on during a freeze: an approver (also of their own request, which others approve), or
    somebody with IAM rights in the console. Raises Refusal for everybody else."""
    if not user or is_named(target.policy, user, patience=patience):
        return
    named = target.policy.approvers or target.policy.approver_groups
    raise Refusal("glass_not_you" if named else "glass_nobody", target=target.name)
