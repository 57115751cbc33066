"""What stands in a deployment's thread in the end: its runs, what they made, and what ECS said. Pure."""

from __future__ import annotations

from chatops.domain.stage import Outputs
from chatops.messages.card import StageLine, stage_line
from chatops.messages.catalogue import Markup, escape, say
from chatops.messages.view import View

_RUNS: dict[str, StageLine] = {"build": "line_build", "deploy": "line_deploy", "rollback": "line_rollback_stage"}


def details(view: View) -> str:
    """Lines of mrkdwn; empty for a deployment that came to no run and no rollout."""
    of = view.deployment
    stages = ((of.stage(name), key) for name, key in _RUNS.items())
    lines = [stage_line(result, key) for result, key in stages if result.run_number]
    built, out = of.build.outputs or Outputs(), of.deploy.outputs or Outputs()
    if image := out.image or built.image:
        lines.append(f"📦 {say('details_image', image=image)}")
    shown = of.restored or of.rollout
    if task_definition := shown.task_definition or out.task_definition:
        lines.append(f"📄 {say('details_task_definition', task_definition=task_definition)}")
    if events := [escape(event, 200) for event in shown.events]:
        lines.append(say("ecs_events", events=Markup("\n".join(f"• {event}" for event in events))))
    return "\n".join(lines)
