"""Writes the outcome to the ledger and frees the target."""

from __future__ import annotations

from chatops import ready
from chatops.steps import settle
from chatops.steps.handler import step

ready.prepare("dynamodb")
handler = step(settle.run)
