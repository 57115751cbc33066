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

Context = Mapping[str, str | list[str]]
"""The request's condition keys: a list for one that has several values."""
Question = tuple[list[dict[str, Any]], str, str, Context]
"""Statements, an action, a resource, and what the request is about."""
Judge = Callable[[list[Question]], list[bool]]


def listed(value: Any) -> list[str]:
    """One or several, as a policy has them."""
    return value if isinstance(value, list) else [value]


def matches(pattern: str, value: str) -> bool:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html (wildcards)"""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL))


def allowed(statements: Iterable[dict[str, Any]], action: str, resource: str, context: Context | None = None) -> bool:
    """`context`: the request's condition keys; without it conditions are not looked at."""
    return any(
        any(matches(each, action) for each in listed(statement["Action"]))
        and any(matches(each, resource) for each in listed(statement["Resource"]))
        and (context is None or _holds(statement.get("Condition", {}), context))
        for statement in statements
    )


_OPERATORS = {"StringEquals", "ArnEquals", "ForAllValues:StringEquals", "ForAllValues:StringLike", "Null"}


def _holds(condition: Mapping[str, Any], context: Context) -> bool:
    """The operators that the templates' own roles have."""
    assert set(condition) <= _OPERATORS, condition
    return all(
        _meets(operator, listed(context.get(key, [])), listed(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _meets(operator: str, found: list[str], wanted: list[str]) -> bool:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"""
    if operator == "Null":
        return wanted == ["false" if found else "true"]
    met = [any(matches(each, value) for each in wanted) for value in found]
    return all(met) if operator.startswith("ForAllValues:") else met == [True]


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
