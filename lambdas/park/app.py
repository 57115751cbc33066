"""Stores the token that wakes a wait early."""

from __future__ import annotations

from chatops import ready
from chatops.steps import park
from chatops.steps.handler import step

ready.prepare("dynamodb")
handler = step(park.run)
