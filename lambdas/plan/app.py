"""Completes and checks the request, takes the target, writes the record."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import plan
from chatops.steps.handler import step

ready.prepare("dynamodb", "stepfunctions", holding=(secrets.SLACK_BOT_TOKEN, secrets.GITHUB_TOKEN), live=True)
handler = step(plan.run)
