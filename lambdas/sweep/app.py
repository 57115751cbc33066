"""Settles what ended from outside and delivers what was not delivered."""

from __future__ import annotations

from chatops.observability import step
from chatops.steps import sweep

handler = step(sweep.run)
