"""Slash commands: understood, answered, and started as executions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatops import http
from chatops.domain.codec import SCHEMA
from chatops.domain.command_names import prefix_of
from chatops.domain.command_text import Command, parse_deploy, parse_rollback, parse_status
from chatops.domain.errors import Refusal
from chatops.domain.ids import deployment_id
from chatops.domain.reason import Reason
from chatops.domain.target import Target, default_target
from chatops.domain.typed_text import unescaped
from chatops.edge import PATIENCE, fields
from chatops.edge.replies import refused
from chatops.edge.start import start
from chatops.messages.catalogue import Markup, channel_link, reason_text, say
from chatops.settings.config import settings
from chatops.settings.targets import targets
from chatops.slack import membership
from chatops.store.table import table

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_KINDS = ("deploy", "status", "rollback")
_HELP: tuple[TextKey, ...] = (
    *("help_deploy", "help_preview", "help_rollback", "help_status", "help_cancel", "help_lock"),
)
_USAGE: dict[str, TextKey] = {
    "deploy": "usage_deploy",
    "status": "usage_status",
    "rollback": "usage_rollback",
    "history": "usage_history",
    "cancel": "usage_cancel",
    "lock": "usage_lock",
    "unlock": "usage_lock",
}


_AT_ONCE = ("cancel", "lock", "unlock")
"""Commands whose effect is recorded here, and starts no execution."""


def ephemeral(text: str) -> dict[str, Any]:
    """A 200 with a text for the one who asked: Slack hides the body of anything else."""
    return http.answer(200, {"response_type": "ephemeral", "text": text})


def in_channel(text: str) -> dict[str, Any]:
    """A 200 with a text for everybody in the channel."""
    return http.answer(200, {"response_type": "in_channel", "text": text})


def kind_of(command: str) -> str:
    """deploy, status or rollback, by the command's last word (a workspace may call it `/acme-deploy`); else nothing."""
    last = command.rpartition("-")[2].lstrip("/").lower()
    return last if last in _KINDS else ""


def answer(form: Mapping[str, str]) -> dict[str, Any]:
    """The answer to the command itself; the rest follows from the state machine."""
    kind, known = kind_of(form.get("command", "")), targets()
    if not kind:
        return ephemeral(help_text(known))
    if not fields.user(form.get("user_id", "")):
        return http.answer(400, {"message": "A slash command has a user_id."})
    asked = _parsed(kind, unescaped(form.get("text", ""))[:3000], known)
    if asked.mistake is None and asked.action not in ("help", "cancel") and not asked.target:
        asked = _with_default(asked, known)
    if asked.mistake:
        return ephemeral(f"⚠️ {reason_text(asked.mistake)}\n{say(_USAGE.get(asked.action, _USAGE[kind]))}")
    if asked.action == "help":
        return ephemeral(help_text(known))
    if asked.action != "cancel" and not form.get("trigger_id"):
        return http.answer(400, {"message": "A slash command has a trigger_id."})
    try:
        _assert_member(form, asked)
        if asked.action in ("lock", "unlock"):
            from chatops.edge import locking

            return in_channel(locking.by_command(form, asked))
        text = _cancel(form, asked) if asked.action == "cancel" else _start(form, asked)
    except Refusal as refusal:
        text = refused(refusal, asked.action, form.get("user_id", ""))
    return ephemeral(text) if text else {"statusCode": 200, "body": ""}


def _parsed(kind: str, text: str, known: Mapping[str, Target]) -> Command:
    if kind == "deploy":
        return parse_deploy(text, known, [each for one in known.values() for each in one.policy.branches])
    return parse_status(text, known) if kind == "status" else parse_rollback(text, known)


def _assert_member(form: Mapping[str, str], asked: Command) -> None:
    """Raises Refusal. Whoever starts an execution is asked about by its first step; the others have their effect
    here."""
    team, enterprise = form.get("team_id", ""), form.get("enterprise_id", "")
    if asked.action in _AT_ONCE:
        rows = table(patience=PATIENCE)
        membership.check(rows, form["user_id"], team, enterprise, patience=PATIENCE)
    elif membership.said_foreign(team, enterprise):
        membership.refuse("stranger")


def _with_default(asked: Command, known: Mapping[str, Target]) -> Command:
    target = default_target(known)
    if target:
        return replace(asked, target=target)
    return replace(asked, mistake=Reason("which_target", targets=", ".join(known)))


def help_text(known: Mapping[str, Target]) -> str:
    """An example of each command, and the targets. What is live in them is `/platform-status`'s: help says the same to
    everybody, guests included, and reads nothing."""
    target = default_target(known) or next(iter(known), "")
    lines = [say(key, target=target) for key in _HELP]
    return "\n".join([*lines, say("help_targets", targets=", ".join(known))])


def execution_input(form: Mapping[str, str], asked: Command) -> str:
    """The input: the same text for the same delivery, else StartExecution would not know it again."""
    made = {
        "schema": SCHEMA,
        "command": asked.action,
        "version": asked.version,
        "target": asked.target,
        "reason": asked.reason,
        "version_in_reason": asked.version_in_reason,
        "dry_run": asked.dry_run,
        "break_glass": asked.break_glass,
        "requester": {"id": form.get("user_id", ""), "name": fields.name(form.get("user_name", ""))},
        "channel": fields.place(form.get("channel_id", "")),
        "response_url": fields.url(form.get("response_url", "")),
        "command_prefix": prefix_of(form.get("command", "")),
    }
    return json.dumps({k: v for k, v in made.items() if v or k == "dry_run"}, sort_keys=True)


def _cancel(form: Mapping[str, str], asked: Command) -> str:
    from chatops.edge import cancel  # with the whole store

    return cancel.by_command(form, asked.deployment_id)


def _start(form: Mapping[str, str], asked: Command) -> str:
    name = deployment_id(form.get("team_id", ""), form["trigger_id"])
    start(name, execution_input(form, asked), asked.target)
    return _accepted(asked, form.get("channel_id", ""))


def _accepted(asked: Command, channel: str) -> str:
    """What is shown at once; nothing where all that follows is one private answer. Slack shows nothing for an empty
    200, and a command's response URL can't replace what was shown: `replace_original` is for the URL of a message with
    which somebody interacted, and posts a second message here.

    https://docs.slack.dev/interactivity/implementing-slash-commands#confirming-command-receipt
    https://docs.slack.dev/messaging/modifying-messages#updating-messages-using-response_url
    https://github.com/slackapi/bolt-python/issues/1268, https://github.com/slackapi/bolt-js/issues/2287
    """
    if asked.dry_run or asked.action in ("status", "history"):
        return ""
    key: TextKey
    if asked.action == "deploy":
        key = "accepted_deploy" if asked.version else "accepted_latest"
    else:
        key = "accepted_rollback" if asked.version else "accepted_rollback_last"
        if asked.version_in_reason:  # which of both it is, the ledger decides
            key = "accepted_rollback_open"
    return say(key, version=asked.version, target=asked.target, there=_there(channel))


def _there(channel: str) -> Markup:
    """Where a deployment that is asked for in this channel is followed: in the configured one, if that is a direct
    message. (Whether the bot can post in a channel is only known to the plan; `notify` says so.)"""
    elsewhere = settings().channel if channel.startswith("D") else ""
    return Markup(say("where_channel", place=channel_link(elsewhere)) if elsewhere else say("where_below"))
