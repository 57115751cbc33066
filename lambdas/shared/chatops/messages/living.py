"""The one living message of a deployment: pure builders from its facts to Block Kit, checked by slack_sdk's models."""

from __future__ import annotations

import re
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ContextBlock,
    HeaderBlock,
    ImageBlock,
    PlainTextObject,
    SectionBlock,
)

from chatops.messages import outcome as ending
from chatops.messages import paused
from chatops.messages.buttons import buttons
from chatops.messages.catalogue import Markup, date, duration, escape, link, plain, say
from chatops.messages.facts import Facts, View
from chatops.messages.parts import FIELD, TEXT, clip, mrkdwn, tidy
from chatops.messages.who import asked, people, voters

HEADER, ALT = 150, 2000
_PICTURE = re.compile(r"https?://[!-~]{1,2980}")
Message = dict[str, Any]


def message(view: View) -> Message:
    """`{"text", "blocks"}`: the text reads well alone, for notifications and screen readers."""
    title, text = headline(view), summary(view)
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=title[:HEADER], emoji=True))]
    if gif := picture(view):
        blocks.append(ImageBlock(image_url=gif, alt_text=title[:ALT]))
    if view.phase == "ended":
        blocks.append(SectionBlock(text=mrkdwn(text)))
    if fields := _fields(view):
        blocks.append(SectionBlock(fields=[mrkdwn(f, FIELD) for f in fields[:10]]))
    if lines := _lines(view):
        blocks.append(SectionBlock(text=mrkdwn("\n".join(lines))))
    if pressed := buttons(view):
        blocks.append(ActionsBlock(elements=pressed))
    footer = say(
        "footer",
        id=view.deployment_id,
        elapsed=duration(view.elapsed),
        link=Markup(link(view.execution_url, plain("footer_link"))),
    )
    blocks.append(ContextBlock(elements=[mrkdwn(footer)]))
    return {
        "text": clip(f"{escape(title)}: {text}" if text else escape(title), TEXT),
        "blocks": [b.to_dict() for b in blocks],
    }


def retired(shown: Message, line: str = "") -> Message:
    """A message as it was shown, without its buttons; with a line that says why, above the footer."""
    blocks = [block for block in shown["blocks"] if block["type"] != "actions"]
    if line:
        blocks.insert(len(blocks) - 1, SectionBlock(text=mrkdwn(line)).to_dict())
    return {"text": shown["text"], "blocks": blocks}


def headline(view: View) -> str:
    """The header, plain text."""
    if view.phase == "ended":
        return ending.headline(view)
    elif view.phase in ("approval", "paused"):
        key = f"title_{view.phase}"
    else:
        key = f"title_{view.command}"
    service = str(view.plan.get("repository") or "").rpartition("/")[2]
    return tidy(plain(key, version=view.version, target=view.target, service=service))


def summary(view: View) -> str:
    """One sentence for the `text`: what is going on."""
    if view.phase == "ended":
        return ending.sentence(view)
    lines = _lines(view)
    return lines[-1].partition(" ")[2] if lines else ""


def picture(view: View) -> str:
    """The GIF's URL for this phase, or nothing: a missing one never breaks a message."""
    end = str(view.outcome.get("end", ""))
    if view.phase == "ended":
        kind = {"Deployed": "success", "Restored": "success"}.get(end, "failure" if end in ending.BREAKAGES else "")
    else:
        kind = "deploying" if view.phase in ("build", "deploy", "rollout", "restoring") else ""
    url = str(view.gifs.get(kind, ""))
    return url if _PICTURE.fullmatch(url) and not set(url) & set('<>|"') else ""


def _fields(view: View) -> list[str]:
    if not view.plan or view.outcome.get("end") == "Refused":
        return []
    fields = [
        say("field_version", from_to=Markup(from_to(view.before, view.version))),
        say("field_requester", user=view.requester),
    ]
    sha, title, url = (str(view.plan.get(k) or "") for k in ("sha", "title", "url"))
    if sha:
        commit = link(url, sha[:7]) if url else f"`{escape(sha[:7])}`"
        fields.append(say("field_commit", commit=Markup(f"{commit} {escape(title)}".strip())))
    if view.phase in ("planned", "build", "approval", "decided") and (changes := changes_text(view.plan)):
        fields.append(say("field_changes", changes=Markup(changes)))
    if glass := view.plan.get("break_glass"):
        fields.append(say("field_break_glass", by=glass.get("by", ""), reason=glass.get("reason", "")))
    elif reason := view.plan.get("reason"):
        fields.append(say("field_reason", reason=reason))
    deadline = {"approval": view.approval, "paused": view.rollout.get("pause") or {}}.get(view.phase)
    if deadline is not None:
        fields.append(say("field_deadline", deadline=Markup(date(str(deadline.get("deadline", ""))))))
    return fields + _rollout_fields(view.restored or view.rollout, str(view.plan.get("kind")))


def _rollout_fields(shown: Facts, kind: str) -> list[str]:
    fields: list[str] = []
    if shown.get("desired") is not None and kind == "ecs":
        counts = {k: shown.get(k, 0) for k in ("running", "desired", "pending")}
        fields += [say("field_tasks", counts), *status_field(paused.status(shown))]
    elif shown.get("status") and kind == "codedeploy":
        fields += group_fields(shown, paused.status(shown))
    return fields + paused.strategy(shown)


def group_fields(shown: Facts, status: str) -> list[str]:
    """CodeDeploy's own status, and how many instances it has come to where it counts them."""
    counts = {k: shown.get(k, 0) for k in ("running", "desired", "pending")}
    instances = [say("field_instances", counts)] if shown.get("desired") else []
    return [*instances, *status_field(status)]


def status_field(status: str) -> list[str]:
    """The service's own words, where it has any."""
    return [say("field_rollout", status=status)] if status else []


def from_to(before: str, version: str) -> str:
    """From which version to which, as far as that is known."""
    return say("from_to", before=before, version=version) if before else say("history_version", version=version)


def changes_text(plan: Facts) -> str:
    """The compare link, how many commits, by whom, and their pull requests."""
    changes = plan.get("changes") or {}
    if not changes:
        return ""
    key, count = (
        ("changes_commits", changes["commits"])
        if changes.get("commits")
        else ("changes_behind", changes.get("behind", 0))
    )
    url = str(changes.get("url", ""))
    repository, _, compared = url.partition("/compare/")
    pulls = [link(f"{repository}/pull/{n}" if compared else "", f"#{n}") for n in changes.get("pulls") or []]
    who = Markup(", ".join([*(escape(author, 100) for author in changes.get("authors") or [] if author), *pulls]))
    compare = Markup(link(url, plain(key, count=count)))
    return say("changes", link=compare, authors=who) if who else str(compare)


def run_link(stage: Facts) -> Markup:
    """` #4411`, linked; nothing while there is no run."""
    number, url = stage.get("run_number"), str(stage.get("run_url") or "")
    return Markup(f" {link(url, f'#{number}')}" if number else "")


def stage_line(stage: Facts, key: str) -> str:
    """How a stage's run stands, in a line; `key` is its text while it is under way."""
    if stage.get("state") == "succeeded":
        return f"✅ {say(f'{key}_ok', run=run_link(stage), took=duration(float(stage.get('seconds') or 0)))}"
    if stage.get("done"):
        how = str(stage.get("conclusion") or stage.get("state") or plain("unknown"))
        return f"❌ {say(key, run=run_link(stage), what=how)}"
    doing = str(stage.get("state", "waiting"))
    if doing == "running" and stage.get("job"):
        step = stage.get("step")
        what = say("what_running", job=stage["job"], step=step) if step else escape(stage["job"])
    else:
        known = {"queued": "what_queued", "running": "what_running_bare", "finishing": "what_finishing"}
        what = say(known.get(doing, "what_waiting"))
    return f"🔄 {say(key, run=run_link(stage), what=Markup(what))}"


def _lines(view: View) -> list[str]:
    if not view.plan:
        return []
    lines: list[str] = []
    if view.phase == "planned" and view.command == "deploy":
        lines.append(f"🔄 {say('line_planned')}")
    if view.build:
        lines.append(stage_line(view.build, "line_build"))
    approval = view.approval
    if approval.get("decision") == "approved":
        took = duration(float(approval.get("seconds") or 0))
        lines.append(
            f"✅ {say('line_approved', people=people(voters(approval) or [str(approval.get('by', ''))]), took=took)}"
        )
    elif approval.get("decision") == "pending" and view.phase == "approval":
        left = asked(view.plan.get("approval") or {}, approval)
        want, have = approval.get("quorum", 1), len(voters(approval))
        lines.append(f"⏳ {say('line_approval', people=left, want=want, have=have)}")
    if view.deploy:
        lines.append(stage_line(view.deploy, "line_deploy"))
    lines += paused.lines(view)
    if view.phase == "rollout":
        lines.append(f"🔄 {say('line_rollout')}")
    return lines + (_restoring(view) if view.phase == "restoring" else [])


def _restoring(view: View) -> list[str]:
    lines: list[str] = []
    back = str((view.plan.get("previous") or {}).get("version") or "")
    if view.rollback.get("stage"):
        lines.append(stage_line(view.rollback, "line_rollback_stage"))
    if view.rollback.get("how") == "waiting":
        behind = view.rollback.get("behind")
        lines.append(f"⏳ {say('line_behind', id=behind) if behind else say('line_behind_other')}")
    by_itself = "line_own_rollback" if view.plan.get("kind") == "codedeploy" else "line_breaker"
    key = by_itself if view.rollout.get("restoring") and not view.rollback else "line_restoring"
    return [*lines, f"↩️ {say(key, version=back) if back else say('line_restoring_before')}"]
