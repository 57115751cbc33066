"""The reply in a deployment's thread at its end, which the channel sees as well: how it ended, and what its message
leaves out. Pure."""

from __future__ import annotations

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock

from chatops.domain.codec import Json
from chatops.domain.stage import Outputs
from chatops.messages import outcome, statuses
from chatops.messages.catalogue import escape, mention, say
from chatops.messages.parts import FIELD, mrkdwn
from chatops.messages.view import View


def reply(view: View) -> Json:
    """`{"text", "blocks"}`: the text mentions the requester, since edits of the message notify nobody."""
    who = f" · {mention(view.requester)}" if view.requester else ""
    text = f"{outcome.sign(view.end)} {escape(outcome.headline(view))}{who}"
    blocks: list[Block] = [SectionBlock(text=mrkdwn(text))]
    if lines := _lines(view):
        blocks.append(ContextBlock(elements=[mrkdwn("\n".join(lines), FIELD)]))
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def _lines(view: View) -> list[str]:
    """What was released, and whatever was reported without words of ours for it."""
    of = view.deployment
    built, out = of.build.outputs or Outputs(), of.deploy.outputs or Outputs()
    lines = []
    if image := out.image or built.image:
        lines.append(say("details_image", image=image))
    shown = of.restored or of.rollout
    if task_definition := shown.task_definition or out.task_definition:
        lines.append(say("details_task_definition", task_definition=task_definition))
    runs = (of.build, of.deploy, of.rollback)
    endings = [run.conclusion or "" for run in runs if run.done and run.state != "succeeded"]
    reported = statuses.unknown(shown.status, *endings)
    if of.outcome.why and of.outcome.why.reason.key in ("why_step", "why_step_said"):
        reported.append(str(of.outcome.why.reason.values.get("error", "")))
    lines += [say("details_status", status=each) for each in reported if each]
    if of.outcome.why and (text := outcome.unquoted(of.outcome.why.reason)):
        lines.append(say("details_said", service=outcome.service(view), said=text))
    return lines
