"""Writes the outcome to the ledger and frees the target."""

from __future__ import annotations

from chatops import ready
from chatops.observability import step
from chatops.steps import settle

ready.prepare("dynamodb")
handler = step(settle.run)
