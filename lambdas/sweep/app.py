"""Settles what ended from outside and delivers what was not delivered; told of a deployment, shows it on GitHub."""

from __future__ import annotations

from typing import Any

from chatops import ready
from chatops.domain.news import SOURCE
from chatops.settings import secrets
from chatops.steps import publish, show, sweep
from chatops.steps.handler import step

ready.prepare("dynamodb", "stepfunctions", holding=(secrets.SLACK_BOT_TOKEN, secrets.GITHUB_TOKEN))
ready.prepare("events", patience=publish.PATIENCE)
_sweep = step(sweep.run)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of the bot's own, or whatever calls for a sweep."""
    if event.get("source") == SOURCE:
        show.told(event)
        return {}
    return _sweep(event, context)
