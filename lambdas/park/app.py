"""Stores the token that wakes a wait early."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import park

handler = step(park.run)
