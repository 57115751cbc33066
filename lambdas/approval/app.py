"""Asks people, and reads what they decided."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import approval

handler = step(approval.run)
