"""Lets a paused rollout go on, once people have promoted it."""

from __future__ import annotations

from chatops import ready
from chatops.steps import promotion
from chatops.steps.handler import step

ready.prepare("dynamodb", live=True)
handler = step(promotion.promote)
