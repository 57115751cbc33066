"""Writes a stage's one-use ticket and starts the stage on GitHub, once."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import dispatch

handler = step(dispatch.run)
