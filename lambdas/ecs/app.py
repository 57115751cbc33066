"""Asks the service itself what is live."""

from __future__ import annotations

from chatops import ready
from chatops.steps import ecs
from chatops.steps.handler import step

ready.prepare("dynamodb", live=True)
handler = step(ecs.run)
