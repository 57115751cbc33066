"""Answers to questions: `/platform-status`, `history`, dry runs. Pure."""

from __future__ import annotations

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject, SectionBlock

from chatops.domain.codec import Json
from chatops.domain.plan import Plan
from chatops.domain.reason import running
from chatops.domain.record import PastDeployment
from chatops.domain.results import RolloutResult
from chatops.domain.status import Status
from chatops.messages.card import changes_text, rollout_fields
from chatops.messages.catalogue import Markup, escape, link, plain, reason_text, say
from chatops.messages.parts import FIELD, TEXT, clip, mrkdwn, tidy
from chatops.messages.who import people
from chatops.platforms.registry import of_kind

_ICONS = {"Deployed": "✅", "Restored": "↩️", "": "🔄"}


def dry_run(plan: Plan) -> Json:
    """What would happen."""
    rule = plan.approval
    if rule:
        approval = say("dry_run_approval", people=people(rule.eligible, rule.groups), want=rule.quorum)
    else:
        approval = say("dry_run_no_approval")
    if plan.break_glass:
        approval += f" {say('dry_run_break_glass', by=plan.break_glass.by)}"
    title = escape(plan.title, 100)
    commit = Markup(f" ({link(plan.url, plan.sha[:7])} {title}".rstrip() + ")" if plan.sha else "")
    changes = changes_text(plan)
    text = say(
        "dry_run_rollback" if plan.command == "rollback" else "dry_run",
        version=plan.version,
        target=plan.target,
        running=running(plan.before),
        commit=commit,
        changes=Markup(f"{changes}." if changes else ""),
        approval=Markup(approval),
    )
    if plan.note:
        text = f"{text} ⚠️ {reason_text(plan.note)}"
    return {"text": clip(tidy(text), TEXT)}


def icon(end: str) -> str:
    """How it ended, at a glance; the words stand beside it."""
    return _ICONS.get(end, "❌" if "Failed" in end or end == "Rolled Back" else "⏹️")


def _row(item: PastDeployment) -> str:
    return say(
        "status_row",
        icon=icon(item.end),
        version=item.version,
        end=item.end or plain("end_in_flight"),
        by=item.requester,
        at=item.started_at,
    )


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
    fields = [say("status_live", version=live, since_text=since)]
    rollout = RolloutResult() if of.rollout is None else of.rollout
    on = of_kind(of.kind or "")
    fields += rollout_fields(rollout, on.kind)
    tasks = Markup(f"{rollout.running}/{rollout.desired}; ") if on.counts(rollout.desired) else ""
    if by := of.holder:
        held = {"id": by.deployment_id, "version": by.version, "user": by.requester, "since": by.since}
        fields.append(say("status_held", held))
    else:
        fields.append(say("status_free"))
    blocks.append(SectionBlock(fields=[mrkdwn(f, FIELD) for f in fields]))
    if of.freeze:
        blocks.append(SectionBlock(text=mrkdwn(f"🔒 {reason_text(of.freeze)}")))
    if of.drift:
        drift = say(on.texts.drift, running=of.drift.running, recorded=of.drift.recorded)
        blocks.append(SectionBlock(text=mrkdwn(f"⚠️ {drift}")))
    if of.error:
        blocks.append(SectionBlock(text=mrkdwn(f"⚠️ {say('status_error', said=of.error)}")))
    if rollout.events:
        listed = Markup("\n".join(f"• {escape(e, 200)}" for e in rollout.events))
        blocks.append(SectionBlock(text=mrkdwn(say("ecs_events", events=listed))))
    shown = "\n".join(rows) or say("status_no_history")
    blocks.append(SectionBlock(text=mrkdwn(f"{say('status_last')}\n{shown}")))
    first = plain("status_no_history")
    if of.last:
        first = f"{of.last[0].version or plain('unknown')} {of.last[0].end or plain('end_in_flight')}"
    text = say("status_text", target=target, version=live, tasks=tasks, last=first)
    if of.freeze:
        text = f"{text} {reason_text(of.freeze)}"
    return {"text": clip(text, TEXT), "blocks": [b.to_dict() for b in blocks]}
