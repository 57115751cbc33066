"""Targets as the text of a targets.yaml: what `chatops.settings.targets_file.load` reads as the same targets again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import yaml

from chatops.domain.freeze import Once, Window
from chatops.domain.target import Target
from chatops.settings.freeze_file import DAYS

_PLAIN = ("repository", "event_type", "workflow", "pipeline", "region", "role_arn", "claim", "strategy", "tags")


def text(targets: Mapping[str, Target]) -> str:
    """All of them, in their order."""
    return yaml.safe_dump({"targets": {name: _target(one) for name, one in targets.items()}}, sort_keys=False)


def _target(one: Target) -> dict[str, Any]:
    made: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(one, name)) != ""}
    if one.kind == "ecs":
        ecs = {name: getattr(one, name) for name in ("cluster", "service", "task_role", "execution_role")}
        made["ecs"] = {name: value for name, value in ecs.items() if value}
    elif one.kind == "codedeploy":
        made["codedeploy"] = {"application": one.codedeploy_application, "group": one.codedeploy_group}
    if one.pause_at:
        made["pause_at"] = list(one.pause_at)
    policy = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(one.policy).items()}
    made["policy"] = {k: v for k, v in policy.items() if v != "" and (k != "branches" or v)}
    made["timing"] = asdict(one.timing)
    if one.freeze:
        made["freeze"] = [_window(window) for window in one.freeze]
    return made


def _window(window: Window) -> dict[str, Any]:
    said = {"zone": window.zone} | ({"reason": window.reason} if window.reason else {})
    if isinstance(window, Once):
        return {"from": f"{window.start:%Y-%m-%d %H:%M}", "to": f"{window.end:%Y-%m-%d %H:%M}", **said}
    days = [DAYS[day] for day in sorted(window.days)]
    return {"days": days, "from": _clock(window.start), "to": _clock(window.end), **said}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
