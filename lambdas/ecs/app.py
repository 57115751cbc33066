"""Asks the service itself what is live."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import ecs

ready.prepare("dynamodb", live=True)
handler = step(ecs.run)
