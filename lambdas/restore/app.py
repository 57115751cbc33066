"""Puts the recorded healthy release back, without GitHub."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import restore

handler = step(restore.run)
