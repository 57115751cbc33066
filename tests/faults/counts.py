"""How many hostile requests each route gets: 20,000 in the gate, any number by `make hostile N=1000000`."""

from __future__ import annotations

import os
import time

MANY = int(os.environ.get("HOSTILE", "20000"))
SEED = int(os.environ.get("SEED", "0")) or (time.time_ns() % 1_000_000 if "HOSTILE" in os.environ else 0)
"""Added to each test's own; 0 in the gate, whose requests are the same each time."""
