"""What `make costs` measures: deployments of each kind and length, one at a time, with the timing that targets have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fakes.github import Script
from tests.simulator.counted import Used
from tests.simulator.fleet import Fleet, Kind, opened_fleet

MINUTE = 60.0
DEPLOY, QUEUED, APPEAR = 3 * MINUTE, 10.0, 5.0
"""A deploy stage's work, how long a run waits for its runner, and how long GitHub takes to show it; seconds."""
LENGTHS = (1, 10, 60)
"""Minutes of build."""
TYPICAL = "ECS, rolling, approved after 12 minutes"


def scripts(build: float, *, claims: bool | None = None) -> Mapping[str, Script]:
    """`build`: minutes."""
    every = Script(appear_seconds=APPEAR, queued_seconds=QUEUED, seconds=DEPLOY, claims=claims)
    return {"build": replace(every, seconds=build * MINUTE), "deploy": every, "rollback": every}


BUILT: Mapping[str, Kind] = {
    "ECS, rolling": Kind(),
    TYPICAL: Kind(presses={"approve": 12 * MINUTE}, approval=True),
    "ECS, blue/green, promoted after 5 minutes": Kind(
        "strategy: blue_green, pause_at: [PRE_PRODUCTION_TRAFFIC_SHIFT]", presses={"promote": 5 * MINUTE}
    ),
    "CodeDeploy": Kind(kind="codedeploy"),
    "Host": Kind(kind="none"),
    "`claim: false`": Kind("claim: false", kind="none"),
}
"""They build for one of LENGTHS."""
UNBUILT: Mapping[str, Kind] = {
    "Rollback (ECS)": Kind(command="/platform-rollback", words=""),
    "Refused": Kind(words="v9.9.9"),
    "Dry run": Kind(words="v1.2.3 --dry-run"),
}


class Alone(Fleet):
    """One deployment at a time, and no `sweep` but when it is called: its cost depends on the month, not on them."""

    limits = False

    def _scheduled(self) -> None:
        pass

    def measured(self, kind: Kind) -> Used:
        """What it used. Raises AssertionError where it did not end as it should."""
        self.begin_fleet([kind])
        self.type_all(0)
        assert self.until_over(), "it did not end within a day"
        assert not (wrong := list(self.lost())), wrong
        self._pass(60)
        return self.spent()

    def idle_sweep(self) -> Used:
        """What `sweep` uses where there is nothing to do."""
        self.begin_fleet([Kind()])
        self.sweep()
        return self.spent()


def every() -> Iterator[tuple[str, int, Kind]]:
    """Each with its name and its minutes of build, 0 where it builds nothing."""
    for name, kind in BUILT.items():
        for minutes in LENGTHS:
            claims = False if "claim" in name else None
            yield name, minutes, replace(kind, scripts=scripts(minutes, claims=claims))
    for name, kind in UNBUILT.items():
        yield name, 0, replace(kind, scripts=scripts(0))


def measured(*names: str, minutes: int | None = None) -> dict[tuple[str, int], Used]:
    """By name and minutes; all of them, or those that are named and build so long."""
    with opened_fleet(Alone) as session:
        return {
            (name, length): session.measured(kind)
            for name, length, kind in every()
            if (not names or name in names) and (minutes is None or length in (0, minutes))
        }


def idle_sweep() -> Used:
    with opened_fleet(Alone) as session:
        return session.idle_sweep()
