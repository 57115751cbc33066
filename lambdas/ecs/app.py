"""Asks the service itself what is live."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import ecs
from chatops.steps.handler import step

ready.prepare("dynamodb", holding=(secrets.GITHUB_TOKEN,), live=True)
handler = step(ecs.run)
