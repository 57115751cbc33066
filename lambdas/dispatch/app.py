"""Writes a stage's one-use ticket and starts the stage on GitHub, once."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import dispatch

ready.prepare("dynamodb", "secretsmanager")
handler = step(dispatch.run)
