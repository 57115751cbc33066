"""Asks people, and reads what they decided."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import approval

ready.prepare("dynamodb", "secretsmanager")
handler = step(approval.run)
