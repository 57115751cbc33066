"""Stores the token that wakes a wait early."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import park

ready.prepare("dynamodb")
handler = step(park.run)
