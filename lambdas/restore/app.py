"""Puts the recorded healthy release back, without GitHub."""

from __future__ import annotations

from chatops import ready
from chatops.steps import restore
from chatops.steps.handler import step

ready.prepare("dynamodb", live=True)
handler = step(restore.run)
