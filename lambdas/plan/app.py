"""Completes and checks the request, takes the target, writes the record."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import plan

handler = step(plan.run)
