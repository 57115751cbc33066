"""Reports a stage's run once."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import poll

handler = step(poll.run)
