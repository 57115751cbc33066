"""A deployment's one message: pure builders from its results to Block Kit, checked by slack_sdk's models."""

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
from chatops.messages.buttons import buttons
from chatops.messages.catalogue import Markup, duration, escape, link, plain, say
from chatops.messages.lines import fields, headline, lines, sign, summary
from chatops.messages.parts import FIELD, TEXT, clip, mrkdwn
from chatops.messages.view import View

HEADER, ALT = 150, 2000
_PICTURE = re.compile(r"https?://[!-~]{1,2980}")
Message = dict[str, Any]


def message(view: View) -> Message:
    """`{"text", "blocks"}`: the text reads well alone, for notifications and screen readers."""
    title, text = headline(view), summary(view)
    signed = f"{sign(view)} {title}"
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=signed[:HEADER], emoji=True))]
    if gif := picture(view):
        blocks.append(ImageBlock(image_url=gif, alt_text=title[:ALT]))
    if view.phase == "ended" and view.end != "Deployed":  # of which the fields say everything
        events = ending.events(ending.broken_rollout(view))  # which a notification has no room for
        blocks.append(SectionBlock(text=mrkdwn(f"{text}\n{events}" if events else text)))
    if shown := fields(view):
        blocks.append(SectionBlock(fields=[mrkdwn(f, FIELD) for f in shown[:10]]))
    if said := lines(view):
        blocks.append(SectionBlock(text=mrkdwn("\n".join(said))))
    if pressed := buttons(view):
        blocks.append(ActionsBlock(elements=pressed))
    footer = say(
        "footer",
        id=view.id,
        elapsed=duration(view.elapsed),
        link=Markup(
            link(view.page_url or view.execution_url, plain("footer_page" if view.page_url else "footer_link"))
        ),
    )
    blocks.append(ContextBlock(elements=[mrkdwn(footer)]))
    return {
        "text": clip(f"{escape(signed)}. {text}" if text else escape(signed), TEXT),
        "blocks": [b.to_dict() for b in blocks],
    }


def retired(shown: Message, line: str = "") -> Message:
    """A message as it was shown, without its buttons; with a line that says why, above the footer."""
    blocks = [block for block in shown["blocks"] if block["type"] != "actions"]
    if line:
        blocks.insert(len(blocks) - 1, SectionBlock(text=mrkdwn(line)).to_dict())
    return {"text": shown["text"], "blocks": blocks}


def picture(view: View) -> str:
    """The GIF's URL for this phase, or nothing: a missing one never breaks a message."""
    if view.phase == "ended":
        broken = "failure" if view.end in ending.BREAKAGES else ""
        kind = {"Deployed": "success", "Restored": "success"}.get(view.end, broken)
    else:
        kind = "deploying" if view.phase in ("build", "deploy", "rollout", "restoring") else ""
    url = view.gifs.get(kind, "")
    return url if _PICTURE.fullmatch(url) and not set(url) & set('<>|"') else ""
