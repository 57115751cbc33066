"""hypothesis' state machines as tests: few examples every day, more in the gate and weekly, the same in every
run (tests/conftest.py). A failure prints the steps to it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

EVERY_DAY, GATE, WEEKLY = 3, 8, 30
slow, weekly = pytest.mark.slow, pytest.mark.weekly
lengths = pytest.mark.parametrize(
    "examples", [EVERY_DAY, pytest.param(GATE, marks=slow), pytest.param(WEEKLY, marks=[slow, weekly])]
)


def explore(machine: type[RuleBasedStateMachine], examples: int, steps: int = 25) -> None:
    """Run it; every example begins in an empty session that the machine's `__init__` makes."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
