"""Each fault that can be switched on is found by its own check and by no other, and the text says what to do."""

from __future__ import annotations

import pytest

from doctor.result import State
from local.misconfigured import FAULTS, Fault
from local.session import Session
from tests.doctor.conftest import Look


def test_the_local_run_is_in_order(look: Look) -> None:
    findings = look()
    assert {finding.check for finding in findings if finding.result.state in (State.FAILED, State.WARNING)} == set()
    assert sum(finding.result.state is State.OK for finding in findings) >= 8


EVERY_DAY = list({fault.check: fault for fault in FAULTS.values()}.values())[::3]
"""One fault of every third check; the gate takes them all."""


CASES = [
    pytest.param(fault, id=name, marks=[] if fault in EVERY_DAY else [pytest.mark.slow])
    for name, fault in FAULTS.items()
]


@pytest.mark.parametrize("fault", CASES)
def test_a_fault_is_found_by_its_check_alone(fault: Fault, made: Session, look: Look) -> None:
    changes: dict[str, str] = {}
    fault.apply(made, changes)
    findings = look(changes)
    wrong = [one for one in findings if one.result.state in (State.FAILED, State.WARNING)]
    assert {one.check for one in wrong} == {fault.check}, [one.result for one in wrong]
    assert {one.result.state for one in wrong} == {State.FAILED if fault.grave else State.WARNING}
    named = [one for one in wrong if fault.says in one.result.found and fault.subject in ("", one.subject)]
    assert named, [one.result.found for one in wrong]
    for one in wrong:
        assert one.result.causes.endswith("."), one.result
        assert len(one.result.todo) > 15, one.result
