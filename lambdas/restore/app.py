"""Puts the recorded healthy release back, without GitHub."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import restore

ready.prepare("dynamodb", live=True)
handler = step(restore.run)
