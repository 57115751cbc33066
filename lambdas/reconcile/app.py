"""Reads, after an error, what is true of the deployment."""

from __future__ import annotations

from chatops import ready
from chatops.steps import reconcile
from chatops.steps.handler import step

ready.prepare("dynamodb", "secretsmanager", live=True)
handler = step(reconcile.run)
