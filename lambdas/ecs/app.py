"""Asks the service itself what is live."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import ecs

handler = step(ecs.run)
