"""Modals. https://docs.slack.dev/surfaces/modals"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from chatops.messages.catalogue import plain
from chatops.messages.parts import mrkdwn

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


def notice(text: str) -> dict[str, Any]:
    """Takes a modal's place and says what came of it, in Slack's mrkdwn: its fields' errors would show marks as they
    are."""
    made = View(
        type="modal",
        title=PlainTextObject(text=plain("reject_title")[:24]),
        close=PlainTextObject(text=plain("close")[:24]),
        blocks=[SectionBlock(text=mrkdwn(text))],
    )
    view: dict[str, Any] = made.to_dict()
    return view


Kind = Literal["reject", "promote"]
_TITLES: dict[Kind, TextKey] = {"reject": "reject_title", "promote": "promote_title"}
_SUBMITS: dict[Kind, TextKey] = {"reject": "submit", "promote": "promote"}


def reason(kind: Kind, private_metadata: str) -> dict[str, Any]:
    """Asks for the reason of a rejection, or of a promotion during a freeze. `kind` comes back as its callback id."""
    made = View(
        type="modal",
        callback_id=kind,
        title=PlainTextObject(text=plain(_TITLES[kind])[:24]),
        submit=PlainTextObject(text=plain(_SUBMITS[kind])[:24]),
        close=PlainTextObject(text=plain("close")[:24]),
        private_metadata=private_metadata,
        blocks=[
            InputBlock(
                block_id="reason",
                label=PlainTextObject(text=plain("reject_reason")),
                hint=PlainTextObject(text=plain("reject_hint")),
                element=PlainTextInputElement(action_id="reason", multiline=True, min_length=1, max_length=500),
            )
        ],
    )
    view: dict[str, Any] = made.to_dict()
    return view
