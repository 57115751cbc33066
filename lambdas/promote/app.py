"""Lets a paused rollout go on, once people have promoted it."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import promote

handler = step(promote.run)
