"""Asks people, and reads what they decided."""

from __future__ import annotations

from chatops import ready
from chatops.steps import approval
from chatops.steps.handler import step

ready.prepare("dynamodb", "secretsmanager")
handler = step(approval.run)
