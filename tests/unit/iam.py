"""Whether IAM would allow a request, by the statements of a resolved template (Allow only: nothing here denies)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: str, value: str) -> bool:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html (wildcards)"""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL))


def allowed(statements: Iterable[dict[str, Any]], action: str, resource: str) -> bool:
    return any(
        any(_matches(each, action) for each in _list(statement["Action"]))
        and any(_matches(each, resource) for each in _list(statement["Resource"]))
        for statement in statements
    )
