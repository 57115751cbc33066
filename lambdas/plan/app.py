"""Completes and checks the request, takes the target, writes the record."""

from __future__ import annotations

from chatops import ready
from chatops.steps import plan
from chatops.steps.handler import step

ready.prepare("dynamodb", "secretsmanager", "stepfunctions", live=True)
handler = step(plan.run)
