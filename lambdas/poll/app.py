"""Reports a stage's run once."""

from __future__ import annotations

from chatops import ready
from chatops.steps import poll
from chatops.steps.handler import step

ready.prepare("dynamodb", "secretsmanager")
handler = step(poll.run)
