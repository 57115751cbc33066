"""Reports a stage's run once."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import poll

ready.prepare("dynamodb", "secretsmanager")
handler = step(poll.run)
