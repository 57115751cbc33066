"""How long the last runs of a target's stage took: where runs report nothing, that says when to look."""

from __future__ import annotations

from chatops.domain import codec
from chatops.store.table import Table
from chatops.values import dataclass

KEPT = 8


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds from the event to the run's end, oldest first, and the deployments (`of`) whose runs they were."""

    of: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()


def get(table: Table, target: str, stage: str) -> Lengths:
    """What is known of the target's last runs that succeeded."""
    return codec.read(Lengths, table.get(f"TARGET#{target}", f"LENGTHS#{stage}"))


def add(table: Table, target: str, stage: str, deployment_id: str, seconds: float) -> None:
    """Remember one more, once. Only the holder of the target's lock comes here, so nobody else writes meanwhile."""
    known = get(table, target, stage)
    if deployment_id in known.of:
        return
    new = Lengths((*known.of, deployment_id)[-KEPT:], (*known.seconds, round(seconds, 1))[-KEPT:])
    table.put({"pk": f"TARGET#{target}", "sk": f"LENGTHS#{stage}", **codec.as_json(new)})
