"""The buttons of a deployment's message, by phase. A button carries the deployment id (and which pause), nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from chatops.domain.ids import DEPLOY_TO
from chatops.messages.catalogue import plain
from chatops.messages.view import View

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

BUTTON = 75
_MOST_NEXT = 5


def buttons(view: View) -> list[ButtonElement]:
    """What may be pressed now."""
    if view.end == "Deployed":
        back = [_roll_back("roll_back", view, view.id, "confirm_rollback_text")] if view.plan.back else []
        return [*(_deploy_to(view, target) for target in view.next[:_MOST_NEXT]), *back]
    if not view.deployment.planned or view.phase == "ended":
        return []
    if view.phase == "paused":
        return _paused(view)
    made: list[ButtonElement] = []
    if view.phase == "approval":
        made.append(_button("approve", "approve", view.id, "primary", _approving(view)))
        made.append(_button("reject", "reject", view.id, "danger"))
    if (view.command == "deploy" and view.phase != "restoring") or view.phase == "approval":
        title = plain("confirm_cancel_title", version=view.version, target=view.target)
        sure = _confirm("cancel_deployment", title, plain("confirm_cancel_text"), danger=True)
        made.append(_button("cancel", "cancel", view.id, None, sure))
    return made


def are_to_be_retired(view: View) -> bool:
    """True for a message whose buttons go when its deployment is live no more."""
    return view.end == "Deployed" and bool(buttons(view))


def _deploy_to(view: View, target: str) -> ButtonElement:
    text = plain("deploy_to_text", version=view.version, target=target)
    sure = _confirm("deploy_to_yes", plain("deploy_to_title", target=target), text)
    label = PlainTextObject(text=plain("deploy_to", target=target)[:BUTTON], emoji=True)
    return ButtonElement(text=label, action_id=f"{DEPLOY_TO}{target}", value=view.id, style="primary", confirm=sure)


def _approving(view: View) -> ConfirmObject:
    about = {"version": view.version, "target": view.target}
    if view.command == "rollback":
        return _confirm("approve", plain("confirm_title_rollback", about), plain("confirm_text_rollback", about))
    return _confirm("approve", plain("confirm_title", about), plain("confirm_text", about))


def _paused(view: View) -> list[ButtonElement]:
    """Only for this very pause: a press on the buttons of an earlier one decides nothing."""
    value = f"{view.id}/{view.pause.mark if view.pause else ''}"
    title = plain("confirm_promote_title", version=view.version, target=view.target)
    go = _confirm("promote", title, plain("confirm_promote_text"))
    return [
        _button("promote", "promote", value, "primary", go),
        _roll_back("pause_roll_back", view, value, "confirm_pause_text"),
    ]


def _roll_back(action: str, view: View, value: str, text: TextKey) -> ButtonElement:
    about = {"version": view.version, "target": view.target, "before": view.back}
    question: TextKey = text if view.back else "confirm_rollback_text"
    sure = _confirm("roll_back", plain("confirm_rollback_title", about), plain(question, about), danger=True)
    return _button("roll_back", action, value, "danger" if view.phase == "paused" else None, sure)


def _confirm(verb: TextKey, title: str, text: str, *, danger: bool = False) -> ConfirmObject:
    """Asks before a press counts. `verb`: the button that goes on."""
    return ConfirmObject(
        title=PlainTextObject(text=title[:100]),
        text=PlainTextObject(text=text[:300]),
        confirm=PlainTextObject(text=plain(verb)[:30]),
        deny=PlainTextObject(text=plain("confirm_no")[:30]),
        style="danger" if danger else None,
    )


def _button(
    key: TextKey, action: str, value: str, style: str | None = None, confirm: ConfirmObject | None = None
) -> ButtonElement:
    label = PlainTextObject(text=plain(key)[:BUTTON], emoji=True)
    return ButtonElement(text=label, action_id=action, value=value, style=style, confirm=confirm)
