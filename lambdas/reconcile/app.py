"""Reads, after an error, what is true of the deployment."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import reconcile

handler = step(reconcile.run)
