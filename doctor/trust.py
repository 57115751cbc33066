"""Whether a role's trust policy lets a token of GitHub Actions in: IAM's operators on text, without a network.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

PROVIDER = "token.actions.githubusercontent.com"
ACTION = "sts:AssumeRoleWithWebIdentity"
_OPERATOR = re.compile(r"(?:ForA\w+Values?:)?String(Not)?(Equals|Like)(IgnoreCase)?(?:IfExists)?")


def admits(policy: Mapping[str, Any], claims: Mapping[str, str]) -> bool | None:
    """Whether the policy admits a token with these claims (by name); None where it asks for more than is known."""
    answers: dict[str, list[bool | None]] = {"Allow": [], "Deny": []}
    for statement in _list(policy.get("Statement")):
        if _speaks_of_github(statement):
            answers[str(statement["Effect"])].append(_all(_conditions(statement.get("Condition") or {}, claims)))
    denied = _any(answers["Deny"])
    return _all([_any(answers["Allow"]), None if denied is None else not denied])


def trusts_github(policy: Mapping[str, Any]) -> bool:
    """Whether it has a statement about GitHub's provider at all."""
    return any(_speaks_of_github(statement) for statement in _list(policy.get("Statement")))


def like(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """StringLike: `*` is anything, `?` one character; capitals count."""
    form = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return bool(re.fullmatch(form, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)))


def _speaks_of_github(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    federated = _list(principal.get("Federated")) if isinstance(principal, Mapping) else []
    actions = _list(statement.get("Action"))
    return any(str(one).endswith(f":oidc-provider/{PROVIDER}") for one in federated) and any(
        like(str(action), ACTION, ignore_case=True) for action in actions
    )


def _conditions(conditions: Mapping[str, Any], claims: Mapping[str, str]) -> Iterable[bool | None]:
    known = {f"{PROVIDER}:{name}".lower(): value for name, value in claims.items()}
    for operator, keys in conditions.items():
        form = _OPERATOR.fullmatch(operator)
        for key, values in keys.items():
            value = known.get(key.lower())
            wanted = [str(each) for each in _list(values)]
            if form is None or value is None or any("${" in each for each in wanted):
                yield None
                continue
            negated, kind, ignores = form.groups()
            found = any(_same(each, value, kind == "Like", bool(ignores)) for each in wanted)
            yield found is not bool(negated)


def _same(wanted: str, value: str, wildcards: bool, ignores_case: bool) -> bool:
    if wildcards:
        return like(wanted, value)
    return wanted.lower() == value.lower() if ignores_case else wanted == value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return False if False in found else None if None in found else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return True if True in found else None if None in found else False
