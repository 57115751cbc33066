"""The pieces that blocks are made of, within Slack's limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slack_sdk.models.blocks import MarkdownTextObject

SECTION, FIELD = 3000, 2000
"""Characters. https://docs.slack.dev/reference/block-kit/blocks/section-block"""
TEXT = 4000
"""Characters of a message's own text, which chat.update refuses when it is longer.
https://docs.slack.dev/reference/methods/chat.update"""

_GAP = re.compile(r" {2,}")
_TORN = re.compile(r"(?:&[a-z]{0,3}|<[^<>]*)$")


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, never cut inside a link, a mention, an escaped character or a code span."""
    if len(text) <= limit:
        return text
    kept = _TORN.sub("", text[: limit - 1])
    if kept.count("`") % 2:
        kept = kept[: kept.rindex("`")]
    return kept + "…"


def tidy(text: str) -> str:
    """Without the gaps that parts leave where there was nothing to say."""
    return _GAP.sub(" ", text).strip()


def mrkdwn(text: str, limit: int = SECTION) -> MarkdownTextObject:
    """A text in Slack's markup. `verbatim`: Slack shows names and addresses that stand in somebody's words as they
    are, and makes no channel links or mentions of them.

    https://docs.slack.dev/reference/block-kit/composition-objects/text-object
    """
    from slack_sdk.models.blocks import MarkdownTextObject  # see `slack.client`

    return MarkdownTextObject(text=clip(text, limit), verbatim=True)
