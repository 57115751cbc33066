"""Asks people, and reads what they decided."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import approval
from chatops.steps.handler import step

ready.prepare("dynamodb", holding=(secrets.SLACK_BOT_TOKEN,))
handler = step(approval.run)
