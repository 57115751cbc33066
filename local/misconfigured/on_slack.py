"""What can be wrong with the Slack app, the channel and the people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes.slack.directory import C_DEPLOY, C_PUBLIC, G_SECRET, S_APPROVERS, U_BOT, U_LEE
from local.misconfigured.fault import Environment, Fault, sets

if TYPE_CHECKING:
    from local.session import Session

APP, CHANNEL, PEOPLE = "Slack app", "Slack channel", "Slack people"
Apply = Callable[["Session", Environment], None]
LEE = "U0LEE0001"


def _revoked(session: Session, _: Environment) -> None:
    session.slack.tokens = set()


def lacks(scope: str) -> Apply:
    def apply(session: Session, env: Environment) -> None:
        session.slack.scopes.discard(scope)
        if scope == "usergroups:read":
            env["SLACK_APPROVERS"] = f"{U_LEE},{S_APPROVERS}"

    return apply


def _elsewhere(session: Session, env: Environment) -> None:
    env["SLACK_API_URL"] = f"{session.url}/prod/slack/"  # the bot's own address, which answers 404 in JSON


def _archived(session: Session, _: Environment) -> None:
    channels = session.slack.space.channels
    channels[C_DEPLOY] = replace(channels[C_DEPLOY], is_archived=True)


def _left(session: Session, _: Environment) -> None:
    users = session.slack.space.users
    users[U_LEE] = replace(users[U_LEE], deleted=True)


def _empty(session: Session, env: Environment) -> None:
    session.slack.space.groups[S_APPROVERS] = []
    env["SLACK_APPROVERS"] = f"{U_LEE},{S_APPROVERS}"


ON_SLACK = (
    Fault("bot-token-revoked", APP, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)", _revoked),
    Fault("slack-elsewhere", APP, "answered 404 to auth.test, not as Slack does: SLACK_API_URL", _elsewhere),
    Fault("no-scope-for-messages", APP, "lacks the scopes chat:write", lacks("chat:write")),
    Fault("no-scope-for-channels", APP, "lacks the scopes channels:read", lacks("channels:read")),
    Fault("no-scope-for-people", APP, "lacks the scopes users:read", lacks("users:read")),
    Fault("no-scope-for-groups", APP, "lacks the scopes usergroups:read", lacks("usergroups:read")),
    Fault("channel-archived", CHANNEL, "#deployments (C0DEPLOY1) is archived", _archived),
    Fault("bot-not-in-channel", CHANNEL, "The bot is not in #random", sets(SLACK_CHANNEL_ID=C_PUBLIC)),
    Fault("channel-private", CHANNEL, "no channel G0SECRET1 (channel_not_found)", sets(SLACK_CHANNEL_ID=G_SECRET)),
    Fault("channel-unknown", CHANNEL, "no channel C0NOWHERE", sets(SLACK_CHANNEL_ID="C0NOWHERE")),
    Fault("approver-has-left", PEOPLE, "Lee Jiwoo (U0LEE0001), approver of dev, staging, batch, vm, has left", _left),
    Fault("approver-unknown", PEOPLE, "knows no user U0NOBODY1", sets(SLACK_APPROVERS=f"{U_LEE},U0NOBODY1")),
    Fault("approver-is-the-bot", PEOPLE, "is a bot", sets(SLACK_APPROVERS=f"{U_LEE},{U_BOT}")),
    Fault(
        "group-unknown",
        PEOPLE,
        "group S0NOTHING, of dev, staging, batch, vm, is not known",
        sets(SLACK_APPROVERS="S0NOTHING"),
    ),
    Fault("group-empty", PEOPLE, f"group {S_APPROVERS}, of dev, staging, batch, vm, has no members", _empty),
    Fault(
        "nobody-approves",
        PEOPLE,
        "dev wants an approval, and nobody",
        sets(SLACK_APPROVERS="", DEPLOY_APPROVAL_REQUIRED="true"),
    ),
    Fault("one-approver", PEOPLE, "dev wants 1 of 1 approver", sets(SLACK_APPROVERS=LEE), grave=False),
)
