"""Answers to questions: `/platform-status`, `history`, dry runs. Pure."""

from __future__ import annotations

from typing import Any

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject, SectionBlock

from chatops.domain.reason import running
from chatops.messages import paused
from chatops.messages.catalogue import Markup, escape, link, plain, say
from chatops.messages.facts import Facts
from chatops.messages.living import changes_text, group_fields, status_field
from chatops.messages.parts import FIELD, TEXT, clip, mrkdwn, tidy
from chatops.messages.who import people

_ICONS = {"Deployed": "✅", "Restored": "↩️", "": "🔄"}


def dry_run(plan: Facts) -> dict[str, Any]:
    """What would happen."""
    question = plan.get("approval") or {}
    approval = (
        say(
            "dry_run_approval",
            people=people(question["eligible"], question.get("groups") or []),
            want=question["quorum"],
        )
        if question.get("required")
        else say("dry_run_no_approval")
    )
    if glass := plan.get("break_glass"):
        approval += f" {say('dry_run_break_glass', by=glass.get('by', ''))}"
    sha, title = str(plan.get("sha") or ""), escape(plan.get("title") or "", 100)
    commit = Markup(f" ({link(str(plan.get('url') or ''), sha[:7])} {title}".rstrip() + ")" if sha else "")
    key = "dry_run_rollback" if plan.get("command") == "rollback" else "dry_run"
    now = running(str((plan.get("live") or {}).get("version") or ""))
    changes = changes_text(plan)
    text = say(
        key,
        version=plan.get("version"),
        target=plan.get("target"),
        running=now,
        commit=commit,
        changes=Markup(f"{changes}." if changes else ""),
        approval=Markup(approval),
    )
    return {"text": clip(tidy(text), TEXT)}


def icon(end: str) -> str:
    """How it ended, at a glance; the words stand beside it."""
    return _ICONS.get(end, "❌" if "Failed" in end or end == "Rolled Back" else "⏹️")


def _drift(fact: Facts) -> str:
    return "status_drift_codedeploy" if fact.get("kind") == "codedeploy" else "status_drift"


def _row(item: Facts) -> str:
    end = str(item.get("end") or "")
    return say(
        "status_row",
        icon=icon(end),
        version=item.get("version"),
        end=end or plain("end_in_flight"),
        by=item.get("requester", ""),
        at=item.get("started_at", ""),
    )


def status(fact: Facts) -> dict[str, Any]:
    """The truth about a target, with a text that says the essentials alone."""
    if refusal := fact.get("refusal"):
        return {"text": f"⚠️ {say(refusal['key'], refusal['values'])}"}
    if not fact:
        return {"text": say("status_error", said=plain("status_unread"))}
    target, live = str(fact["target"]), str(fact.get("version") or plain("status_nothing"))
    rows = [_row(item) for item in fact.get("last") or []]
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=plain("status_title", target=target, version=live)[:150]))
    ]
    since = Markup(say("status_since", since=fact["since"])) if fact.get("since") else ""
    fields = [say("status_live", version=live, since_text=since)]
    rollout = fact.get("rollout") or {}
    tasks = ""
    if rollout.get("desired") is not None and fact.get("kind") == "ecs":
        fields += [say("field_tasks", rollout), *status_field(paused.status(rollout))]
        fields += paused.strategy(rollout)
        tasks = Markup(f"{rollout['running']}/{rollout['desired']}; ")
    elif rollout.get("status") and fact.get("kind") == "codedeploy":
        fields += group_fields(rollout, str(rollout["status"]))
    holder = fact.get("holder") or {}
    fields.append(
        say(
            "status_held",
            id=holder["deployment_id"],
            version=holder["version"],
            user=holder["requester"],
            since=holder["since"],
        )
        if holder
        else say("status_free")
    )
    blocks.append(SectionBlock(fields=[mrkdwn(f, FIELD) for f in fields]))
    if fact.get("drift"):
        blocks.append(SectionBlock(text=mrkdwn(f"⚠️ {say(_drift(fact), fact['drift'])}")))
    if fact.get("error"):
        blocks.append(SectionBlock(text=mrkdwn(f"⚠️ {say('status_error', said=fact['error'])}")))
    if events := rollout.get("events"):
        listed = Markup("\n".join(f"• {escape(e, 200)}" for e in events))
        blocks.append(SectionBlock(text=mrkdwn(say("ecs_events", events=listed))))
    shown = "\n".join(rows) or say("status_no_history")
    blocks.append(SectionBlock(text=mrkdwn(f"{say('status_last')}\n{shown}")))
    last = fact.get("last") or []
    first = (
        f"{last[0].get('version') or plain('unknown')} {last[0].get('end') or plain('end_in_flight')}"
        if last
        else plain("status_no_history")
    )
    text = say("status_text", target=target, version=live, tasks=tasks, last=first)
    return {"text": clip(text, TEXT), "blocks": [b.to_dict() for b in blocks]}
