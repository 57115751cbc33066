"""notify: the deployment's Slack message, and answers to the person who asked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from chatops import aws
from chatops.domain import command_names
from chatops.domain import outcome as rules
from chatops.domain.codec import Json
from chatops.domain.deployment import Deployment
from chatops.domain.errors import InvalidConfiguration, Refusal
from chatops.domain.event import StepEvent
from chatops.domain.plan import Plan
from chatops.domain.request import Request, where
from chatops.domain.results import Delivery
from chatops.domain.target import default_target
from chatops.messages import details, history, reports, unplanned
from chatops.messages.catalogue import channel_link, reason_text, say
from chatops.messages.view import View
from chatops.settings.config import execution_url, settings
from chatops.settings.targets import targets
from chatops.slack import membership, posting
from chatops.steps import publish
from chatops.store import deployments, messages, outbox, results
from chatops.store.table import table

_NOBODY = Request("")


def run(event: StepEvent) -> Delivery:
    """Post or bring up to date what `event.message` names."""
    delivered = _deliver(event)
    if event.deployment.plan.verdict == "go":
        publish.soon(event.deployment.id)
    return Delivery(delivered)


def _deliver(event: StepEvent) -> bool:
    asked, deployment = where(event.request), event.deployment
    if event.message == "report":
        try:
            if asked.requester:
                membership.check(table(), asked.requester)
        except Refusal as refusal:
            return _reply(asked, f"⚠️ {reason_text(refusal.reason)}")
        answer = history.history if event.status.command == "history" else reports.status
        return _reply(asked, **answer(event.status))
    plan = deployment.plan
    if plan.verdict == "refused":
        return _reply(asked, f"⚠️ {reason_text(plan.refusal)}")
    if plan.verdict == "dry_run":
        return _reply(asked, **reports.dry_run(plan))
    if event.message == "outcome":
        return ended(deployment, asked, began_at=event.began_at)
    seen = posting.view_of(deployment)
    shown = posting.show(seen)
    if event.message == "announce" and plan.card:
        posting.retire(plan.card, f"⏪ {say('line_rollback_asked', user=seen.requester)}")
    if event.message == "announce" and asked.channel not in ("", plan.channel) and not asked.channel.startswith("D"):
        _elsewhere(asked, seen)
    return shown


def _elsewhere(asked: Request, seen: View) -> None:
    """Tell who asked, once, that the message is in another channel: the bot cannot post where they asked. (Of a direct
    message the answer to the command has said it.)"""
    if "elsewhere" in messages.get(table(), seen.id).said:
        return
    place = channel_link(seen.plan.channel)
    if _reply(asked, say("where_elsewhere", version=seen.version, target=seen.target, place=place)):
        messages.noted(table(), seen.id, "elsewhere")


def _in_thread(seen: View) -> bool:
    """A reply in the message's thread that the channel sees too. False if Slack did not take it."""
    return posting.short(seen.id, "outcome", **details.reply(seen), everywhere=True)


def _reply(asked: Request, text: str, blocks: list[Json] | None = None) -> bool:
    return posting.privately(asked.requester, asked.channel, asked.response_url, text, blocks)


def ended(deployment: Deployment, asked: Request = _NOBODY, *, began_at: float = 0.0) -> bool:
    """Show how it ended and notify the requester; False leaves it in the outbox for `sweep`. `asked` is needed only
    where there is no plan."""
    if not deployment.planned:
        plan, read = _recorded(deployment.id, began_at)
        if plan is None:
            return _unplanned(deployment, asked, read=read)
        deployment = replace(deployment, plan=plan, planned=True)  # Plan died after it had written the record
    if not deployment.outcome:
        return False  # Settle did not get through: `sweep` settles, and sends the message
    command_names.use(deployment.plan.command_prefix)  # `sweep` comes by with many deployments
    seen = posting.view_of(results.latest(table(), deployment))
    shown = posting.show(seen)
    posted = _in_thread(seen) and shown  # also where Slack took the message as text alone
    if posted:
        outbox.delivered(table(), seen.id)
    if seen.end == "Deployed" or (seen.end == "Restored" and seen.command == "rollback"):
        posting.retire(seen.plan.live.deployment_id if seen.plan.live else "")
    return posted


def _recorded(deployment_id: str, began_at: float) -> tuple[Plan | None, bool]:
    """The plan as it was recorded, and whether the table could be read."""
    try:
        record = deployments.get(table(), deployment_id)
    except aws.failures(InvalidConfiguration):
        return None, False
    return record.plan if record and record.is_of(began_at) else None, True


def _unplanned(deployment: Deployment, asked: Request, *, read: bool) -> bool:
    """Tell whoever asked that planning failed; where that isn't known, the channel that would have got the deployment's
    message."""
    channel = asked.channel
    with suppress(InvalidConfiguration):  # it may be why planning failed; the rest is said all the same
        channel = channel or settings().channel
    with suppress(InvalidConfiguration):
        asked = replace(asked, target=asked.target or default_target(targets()))
    cause = (deployment.outcome or rules.outcome(deployment, None)).why
    reason = cause.reason if cause else None
    text = unplanned.sentence(asked, reason, deployment.id, execution_url(deployment.execution_arn), read=read)
    if asked.requester or asked.response_url:
        return _reply(asked, f"❌ {text}")
    return posting.openly(channel, f"❌ {text}")
