"""Who may ask and who decides. A policy that nobody can satisfy is refused at once, with the way out."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from chatops.domain.errors import Refusal, SlackRefused, SlackUnavailable
from chatops.domain.plan import ApprovalRule
from chatops.domain.target import Target
from chatops.slack import approvers, membership
from chatops.store.table import table

MOST_ASKED = 100
"""People one approval can be put to: they travel in the execution's state, which stays small."""
MOST_CHECKED = 20
"""People of whom Slack is asked, one by one, whether they are still there."""


def requester(target: Target, user: str) -> str:
    """The requester, allowed to ask (empty: started in the console by somebody with IAM rights).

    Raises Refusal for those who are no members and those whom the policy leaves out, SlackUnavailable where Slack does
    not say now who they are.
    """
    if not user:
        return ""
    try:
        membership.refuse(membership.standing(table(), user))
    except SlackRefused as error:
        raise Refusal("excluded_unreadable", said=error.reason) from None
    if approvers.may_ask(target.policy, user):
        return user
    raise Refusal("not_a_requester", target=target.name)


def eligible(target: Target, user: str) -> tuple[str, ...]:
    """Everybody who may decide about this user's request."""
    rules = target.policy
    found = dict.fromkeys(rules.approvers)
    for group in rules.approver_groups:
        found |= dict.fromkeys(sorted(approvers.members(group)))
    if not rules.own_approval:
        found.pop(user, None)
    return tuple(found)


def promoters(target: Target, user: str, asked: Collection[str], *, approved: bool) -> tuple[str, ...]:
    """Everybody who may promote this user's deployment at a pause: those who may approve. `asked`: whom its approval
    was put to; `approved`: whether others have approved it.

    Two people, not one, put a version live: so the ban on one's own request holds here only while nobody else has
    approved it. Where the policy names nobody, or nobody but them, the requester promotes: they may deploy alone. A
    user group that Slack does not show now keeps nobody from deciding: those who were asked before still may. Where
    nobody is left then, Refusal is raised: a group that cannot be read does not let others in.
    """
    rules = target.policy
    found = dict.fromkeys([*rules.approvers, *asked])
    unreadable: Refusal | None = None  # pragma: no mutate: nothing is nothing
    for group in rules.approver_groups:
        try:
            found |= dict.fromkeys(sorted(approvers.members(group)))
        except Refusal as error:
            unreadable = error
    if not (rules.own_approval or approved):
        found.pop(user, None)
    if not found and unreadable:
        raise unreadable
    return tuple(found) or ((user,) if user else ())


def _present(users: tuple[str, ...]) -> tuple[str, ...]:
    """Those who can press a button: no account that is deactivated, and nobody who is no member. Where Slack does not
    say, and for more than MOST_CHECKED, they count."""
    found = []
    for user in users[:MOST_CHECKED]:
        with suppress(SlackRefused, SlackUnavailable):
            if membership.standing(table(), user):
                continue
        found.append(user)
    return (*found, *users[MOST_CHECKED:])


def question(target: Target, command: str, user: str) -> ApprovalRule | None:
    """What the approval will ask; None where the policy asks nobody."""
    rules = target.policy
    required = rules.rollback_approval if command == "rollback" else rules.deploy_approval
    if not required:
        return None
    people_asked = eligible(target, user)
    if not people_asked:
        named = rules.approvers or rules.approver_groups
        raise Refusal("own_approval" if named else "no_approvers", target=target.name)
    if len(people_asked) > MOST_ASKED:
        raise Refusal("too_many_approvers", target=target.name, count=len(people_asked), most=MOST_ASKED)
    if rules.quorum > len(people_asked):
        raise Refusal("quorum", target=target.name, quorum=rules.quorum, count=len(people_asked))
    present = _present(people_asked)
    if rules.quorum > len(present):
        gone = tuple(user for user in people_asked if user not in present)
        raise Refusal("quorum_gone", target=target.name, quorum=rules.quorum, count=len(present), people=gone)
    return ApprovalRule(present, rules.approver_groups, rules.quorum, target.timing.approval)
