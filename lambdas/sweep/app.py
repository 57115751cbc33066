"""Settles what ended from outside and delivers what was not delivered."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import publish, sweep
from chatops.steps.handler import step

ready.prepare("dynamodb", "stepfunctions", holding=(secrets.SLACK_BOT_TOKEN, secrets.GITHUB_TOKEN))
ready.prepare("events", patience=publish.PATIENCE)
handler = step(sweep.run)
