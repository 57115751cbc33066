"""What stands in a deployment's thread in the end: its runs, what they made, and what ECS said. Pure."""

from __future__ import annotations

from chatops.messages.catalogue import Markup, escape, say
from chatops.messages.facts import View
from chatops.messages.living import stage_line

_RUNS = (("build", "line_build"), ("deploy", "line_deploy"), ("rollback", "line_rollback_stage"))


def details(view: View) -> str:
    """Lines of mrkdwn; nothing for a deployment that came to no run and no rollout."""
    stages = ((getattr(view, stage), key) for stage, key in _RUNS)
    lines = [stage_line(fact, key) for fact, key in stages if fact.get("run_number")]
    built, out = ((fact.get("outputs") or {}) for fact in (view.build, view.deploy))
    if image := str(out.get("image") or built.get("image") or ""):
        lines.append(f"📦 {say('details_image', image=image)}")
    shown = view.restored or view.rollout
    if task_definition := str(shown.get("task_definition") or out.get("task_definition") or ""):
        lines.append(f"📄 {say('details_task_definition', task_definition=task_definition)}")
    if events := [escape(event, 200) for event in shown.get("events") or []]:
        lines.append(say("ecs_events", events=Markup("\n".join(f"• {event}" for event in events))))
    return "\n".join(lines)
