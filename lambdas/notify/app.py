"""Writes the deployment's Slack message and answers who asked."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import notify

ready.prepare("dynamodb", "secretsmanager")
handler = step(notify.run)
