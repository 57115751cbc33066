"""Modals. https://docs.slack.dev/surfaces/modals (slack_sdk is imported where one is made: see `slack.client`)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from chatops.messages.catalogue import plain, say
from chatops.messages.parts import mrkdwn

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


def notice(text: str) -> dict[str, Any]:
    """Takes a modal's place and says what came of it, in Slack's mrkdwn: its fields' errors would show marks as they
    are."""
    from slack_sdk.models.blocks import PlainTextObject, SectionBlock
    from slack_sdk.models.views import View

    made = View(
        type="modal",
        title=PlainTextObject(text=plain("notice_title")[:24]),
        close=PlainTextObject(text=plain("close")[:24]),
        blocks=[SectionBlock(text=mrkdwn(text))],
    )
    view: dict[str, Any] = made.to_dict()
    return view


_TITLE = 24
"""Characters. https://docs.slack.dev/reference/views/modal-views"""
Kind = Literal["reject", "approve", "promote"]
_TITLES: dict[Kind, TextKey] = {"reject": "reject_title", "approve": "approve_title", "promote": "promote_title"}
_INTROS: dict[Kind, TextKey] = {
    "reject": "reason_intro",
    "approve": "reason_intro_approve",
    "promote": "reason_intro_frozen",
}
_SUBMITS: dict[Kind, TextKey] = {"reject": "submit", "approve": "approve", "promote": "promote"}


def reason(kind: Kind, private_metadata: str, version: str, target: str) -> dict[str, Any]:
    """Asks for the reason of a rejection, or of an approval or a promotion during a freeze. `kind` comes back as its callback id."""
    from slack_sdk.models.blocks import InputBlock, PlainTextInputElement, PlainTextObject, SectionBlock
    from slack_sdk.models.views import View

    title, intro = plain(_TITLES[kind], version=version), say(_INTROS[kind], version=version, target=target)
    made = View(
        type="modal",
        callback_id=kind,
        title=PlainTextObject(text=title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"),
        submit=PlainTextObject(text=plain(_SUBMITS[kind])[:24]),
        close=PlainTextObject(text=plain("close")[:24]),
        private_metadata=private_metadata,
        blocks=[
            SectionBlock(text=mrkdwn(intro)),
            InputBlock(
                block_id="reason",
                label=PlainTextObject(text=plain("reject_reason")),
                hint=PlainTextObject(text=plain("reject_hint")),
                element=PlainTextInputElement(action_id="reason", multiline=True, min_length=1, max_length=500),
            ),
        ],
    )
    view: dict[str, Any] = made.to_dict()
    return view
