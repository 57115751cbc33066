"""Whether IAM would allow a request, by the statements of a resolved template (Allow only: nothing here denies): as
read here, and by a simulator that nobody here wrote (npm's @cloud-copilot/iam-simulate)."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from tests.unit.resolved_template import ROOT

SIMULATOR = ROOT / "node_modules" / "@cloud-copilot" / "iam-simulate"
PROGRAM = ROOT / "tests/contract/identity_policy.mjs"

Question = tuple[list[dict[str, Any]], str, str, Mapping[str, str]]
"""Statements, an action, a resource, and the request's condition keys."""
Judge = Callable[[list[Question]], list[bool]]


def listed(value: Any) -> list[str]:
    """One or several, as a policy has them."""
    return value if isinstance(value, list) else [value]


def matches(pattern: str, value: str) -> bool:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html (wildcards)"""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL))


def allowed(
    statements: Iterable[dict[str, Any]], action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """`context`: the request's condition keys; without it conditions are not looked at."""
    return any(
        any(matches(each, action) for each in listed(statement["Action"]))
        and any(matches(each, resource) for each in listed(statement["Resource"]))
        and (context is None or _holds(statement.get("Condition", {}), context))
        for statement in statements
    )


def _holds(condition: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """StringEquals and ArnEquals, which are all that the templates' own roles have."""
    assert set(condition) <= {"StringEquals", "ArnEquals"}, condition
    return all(
        key in context and any(matches(each, context[key]) for each in listed(values))
        for keys in condition.values()
        for key, values in keys.items()
    )


def ours(questions: list[Question]) -> list[bool]:
    return [allowed(*question) for question in questions]


def simulated(questions: list[Question]) -> list[bool]:
    """Raises AssertionError also for an action, resource or condition key that AWS does not know."""
    given = json.dumps(questions)
    done = subprocess.run(["node", str(PROGRAM)], input=given, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


JUDGES = [
    ours,
    pytest.param(
        simulated,
        marks=(
            pytest.mark.slow,
            pytest.mark.skipif(not SIMULATOR.exists(), reason="make check installs the simulator"),
        ),
    ),
]
