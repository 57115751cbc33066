"""Lets a paused rollout go on, once people have promoted it."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import promotion

ready.prepare("dynamodb", live=True)
handler = step(promotion.promote)
