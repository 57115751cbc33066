"""Writes a stage's one-use ticket and starts the stage on GitHub, once."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import dispatch
from chatops.steps.handler import step

ready.prepare("dynamodb", holding=(secrets.GITHUB_TOKEN,))
handler = step(dispatch.run)
