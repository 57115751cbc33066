"""Settles what ended from outside and delivers what was not delivered."""

from __future__ import annotations

from chatops import ready
from chatops.steps import sweep
from chatops.steps.handler import step

ready.prepare("dynamodb", "secretsmanager", "stepfunctions")
handler = step(sweep.run)
