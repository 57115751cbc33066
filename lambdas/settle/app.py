"""Writes the outcome to the ledger and frees the target."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import settle

handler = step(settle.run)
