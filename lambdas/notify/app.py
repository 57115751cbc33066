"""Writes the deployment's Slack message and answers who asked."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import notify, publish
from chatops.steps.handler import step

ready.prepare("dynamodb", holding=(secrets.SLACK_BOT_TOKEN,))
ready.prepare("events", patience=publish.PATIENCE)
handler = step(notify.run)
