"""Writes the deployment's Slack message and answers who asked."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import notify

handler = step(notify.run)
