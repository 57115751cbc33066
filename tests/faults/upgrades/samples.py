"""Deployments as an earlier schema left them: the table, and the state that the state machine carried.

Made by the code of that schema, against its own stand-ins (the commit stands in each file), at four moments.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MOMENTS = ("building", "waiting-for-approval", "rolling-out", "rolling-back")
_TIMES = frozenset(
    [
        "asked_at",
        "deadline_at",
        "next_reminder_at",
        "decided_at",
        "parked_at",
        "created_at",
        "valid_until",
        "dispatched_at",
        "tried_at",
        "claimed_at",
        "finished_at",
        "shown_at",
        "kept_at",
    ]
)


@dataclass(frozen=True)
class Sample:
    """`rows` are DynamoDB's own items, `state` the input of the state `state_name`."""

    at: float
    execution_arn: str
    execution_input: dict[str, Any]
    state_name: str
    state: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def deployment_id(self) -> str:
        return self.execution_arn.rpartition(":")[2]

    def row(self, sk: str, name: str) -> str:
        """An attribute of one of this deployment's rows."""
        pk = f"DEPLOYMENT#{self.deployment_id}"
        found = next(row for row in self.rows if (row["pk"]["S"], row["sk"]["S"]) == (pk, sk))
        return str(next(iter(found[name].values())))

    def moved(self, now: float) -> Sample:
        """The same, as if it had been left at `now`: deadlines are still to come."""
        rows = copy.deepcopy(self.rows)
        for row in rows:
            for name in _TIMES & set(row):
                row[name] = {"N": str(float(row[name]["N"]) + now - self.at)}
        return Sample(now, self.execution_arn, self.execution_input, self.state_name, copy.deepcopy(self.state), rows)


def sample(schema: int, moment: str) -> Sample:
    """One of them."""
    found = json.loads((SAMPLES / f"schema-{schema}" / f"{moment}.json").read_text("utf-8"))
    names = ("execution_arn", "execution_input", "state_name", "state", "rows")
    return Sample(at=found["dumped_at"], **{name: found[name] for name in names})


def targets_file(schema: int) -> Path:
    """The targets.yaml that they were made with."""
    return SAMPLES / f"schema-{schema}" / "targets.yaml"
