"""Answers to questions: `/platform-status`, `history`, dry runs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_sdk.models.blocks import Block, ContextBlock, HeaderBlock, PlainTextObject, SectionBlock

from chatops.domain.codec import Json
from chatops.domain.plan import ApprovalRule, Plan
from chatops.domain.record import PastDeployment
from chatops.domain.results import RolloutResult
from chatops.domain.status import Held, Status
from chatops.messages import outcome
from chatops.messages.catalogue import Markup, end_text, escape, plain, reason_text, say
from chatops.messages.lines import notes, plan_fields, rollout_fields
from chatops.messages.parts import FIELD, TEXT, clip, mrkdwn
from chatops.messages.who import people
from chatops.platforms.registry import of_kind

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


def dry_run(plan: Plan) -> Json:
    """What would happen, with the fields of the deployment's message, and what is in its way now."""
    rollback = plan.command == "rollback"
    title = plain("title_dry_run_rollback" if rollback else "title_dry_run", version=plan.version, target=plan.target)
    text = say("dry_run", command=plan.command, version=plan.version, target=plan.target)
    held = [f"⚠️ {reason_text(plan.refusal)}"] if plan.refusal else []
    text = "\n".join([text, *notes(plan), *held])
    fields = [*plan_fields(plan), say("field_approval", approval=Markup(_approval(plan.approval)))]
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=title[:150])),
        SectionBlock(fields=[mrkdwn(field, FIELD) for field in fields[:10]]),
        SectionBlock(text=mrkdwn(text)),
    ]
    return {"text": clip(f"{escape(title)}. {text}", TEXT), "blocks": [block.to_dict() for block in blocks]}


def _approval(rule: ApprovalRule | None) -> str:
    if rule is None:
        return say("dry_run_no_approval")
    one = rule.quorum == 1
    key: TextKey = "dry_run_approval" if one else "dry_run_approval_some"
    return say(key, people=people(rule.eligible, rule.groups, any_of=one), want=rule.quorum)


def icon(end: str) -> str:
    """How it ended, at a glance; the text stands beside it."""
    return outcome.sign(end) if end else "⏳"


def _row(item: PastDeployment) -> str:
    return say(
        "status_row",
        icon=icon(item.end),
        version=item.version,
        end=item.end or plain("end_in_flight"),
        by=item.requester,
        at=item.started_at,
    )


def _under_way(by: Held | None) -> str:
    return say("status_held", version=by.version, user=by.requester, since=by.since) if by else say("status_free")


def status(of: Status) -> Json:
    """The status of a target, with a text that says the essentials alone."""
    if of.refusal:
        return {"text": f"⚠️ {reason_text(of.refusal.reason)}"}
    if not of.target:
        return {"text": say("status_error", said=plain("status_unread"))}
    target, live = of.target, of.version or plain("status_nothing")
    rows = [_row(item) for item in of.last]
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=plain("status_title", target=target, version=live)[:150]))
    ]
    since = Markup(say("status_since", since=of.since)) if of.since else ""
    shown_live = say("history_version", version=of.version) if of.version else say("status_nothing")
    fields = [say("status_live", version=Markup(shown_live), since_text=since)]
    rollout = RolloutResult() if of.rollout is None else of.rollout
    on = of_kind(of.kind or "")
    fields += rollout_fields(rollout, on.kind)
    tasks = Markup(f"{rollout.running}/{rollout.desired}; ") if on.counts(rollout.desired) else ""
    fields.append(_under_way(of.holder))
    blocks.append(SectionBlock(fields=[mrkdwn(f, FIELD) for f in fields]))
    if of.freeze:
        blocks.append(SectionBlock(text=mrkdwn(f"🔒 {reason_text(of.freeze)}")))
    if of.drift:
        drift = say(on.texts.drift, running=of.drift.running, recorded=of.drift.recorded)
        blocks.append(SectionBlock(text=mrkdwn(f"⚠️ {drift}")))
    if of.error:
        blocks.append(SectionBlock(text=mrkdwn(f"⚠️ {say('status_error', said=of.error)}")))
    if events := outcome.events(rollout):
        blocks.append(SectionBlock(text=mrkdwn(events)))
    shown = "\n".join(rows) or say("status_no_history")
    blocks.append(SectionBlock(text=mrkdwn(f"{say('status_last')}\n{shown}")))
    if of.holder:
        blocks.append(ContextBlock(elements=[mrkdwn(say("status_footer", id=of.holder.deployment_id))]))
    first = plain("status_no_history")
    if of.last:
        first = f"{of.last[0].version or plain('unknown')} · {end_text(of.last[0].end) or plain('end_in_flight')}"
    text = say("status_text", target=target, version=live, tasks=tasks, last=first)
    if of.freeze:
        text = f"{text} {reason_text(of.freeze)}"
    return {"text": clip(text, TEXT), "blocks": [b.to_dict() for b in blocks]}
