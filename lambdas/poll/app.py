"""Reports a stage's run once."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import poll
from chatops.steps.handler import step

ready.prepare("dynamodb", holding=(secrets.GITHUB_TOKEN,))
handler = step(poll.run)
