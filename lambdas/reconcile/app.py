"""Reads, after an error, what is true of the deployment."""

from __future__ import annotations

from chatops import ready
from chatops.settings import secrets
from chatops.steps import reconcile
from chatops.steps.handler import step

ready.prepare("dynamodb", holding=(secrets.GITHUB_TOKEN,), live=True)
handler = step(reconcile.run)
