"""The stack's parameters from a pipeline's variables.

A setting has the name that the functions know it by (ECS_CLUSTER_NAME, SLACK_APPROVERS). Names that GitHub does not
allow, and all other parameters, have CHATOPS_ before them (CHATOPS_GITHUB_REPO, CHATOPS_ALARM_EMAIL). A parameter that
has no variable stays what it is in the stack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from doctor.checks.configuration import PARAMETERS
from local.runtime.intrinsics import load_yaml

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
PERHAPS_SECRET = ("SLACK_CHANNEL_ID", "SLACK_APPROVERS")
"""Variables that people also keep as secrets of the repository."""


class Unusable(Exception):
    """A variable that the stack would refuse; the text names it and what it should hold, not what it holds."""


@cache
def declared() -> dict[str, dict[str, Any]]:
    """template.yaml's parameters."""
    found: dict[str, dict[str, Any]] = load_yaml(TEMPLATE.read_text("utf-8"))["Parameters"]
    return found


def variable_of(parameter: str) -> str:
    """The variable that holds a parameter."""
    ours = {parameter: variable for variable, parameter in PARAMETERS.items()}.get(parameter, "")
    if ours and not ours.startswith("GITHUB_"):
        return ours
    return "CHATOPS_" + (ours or re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper())


def variables(env: Mapping[str, str]) -> dict[str, str]:
    """The pipeline's variables: VARIABLES, a JSON object as `toJSON(vars)` writes it, and PERHAPS_SECRET.

    Raises Unusable.
    """
    try:
        found = json.loads(env.get("VARIABLES") or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unusable("VARIABLES should hold a JSON object of names and values.")
    given = {str(name): str(value).strip() for name, value in found.items()}
    return given | {name: value for name in PERHAPS_SECRET if (value := env.get(name, "").strip())}


def stack_name(env: Mapping[str, str]) -> str:
    """CHATOPS_STACK_NAME. Raises Unusable."""
    return variables(env).get("CHATOPS_STACK_NAME") or "platform-deploy"


def overrides(env: Mapping[str, str], *, new: bool) -> dict[str, str]:
    """What to set, from `variables`. A new stack needs what has no default; the repository is then the pipeline's own.

    Raises Unusable.
    """
    given = variables(env)
    made = {}
    for parameter, rules in declared().items():
        value = given.get(variable_of(parameter), "")
        if parameter == "SlackApprovers":
            value = re.sub(r"\s*,\s*", ",", value)  # SAM parts its list of parameters at blanks
        if value:
            _check(variable_of(parameter), value, rules)
            made[parameter] = value
    if new:
        owner, _, name = env.get("GITHUB_REPOSITORY", "").partition("/")
        made = {**({"GithubId": owner, "GithubRepo": name} if owner and name else {}), **made}
        for parameter, rules in declared().items():
            if "Default" not in rules and parameter not in made:
                raise Unusable(f"{variable_of(parameter)} is not set; a new stack needs it: {rules['Description']}")
    return made


def _check(variable: str, value: str, rules: Mapping[str, Any]) -> None:
    """As CloudFormation will, but by the variable's name."""
    allowed = [str(each) for each in rules.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise Unusable(f"{variable} should hold one of {', '.join(each or '(empty)' for each in allowed)}.")
    pattern = rules.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        raise Unusable(f"{variable} should hold {rules['ConstraintDescription']}.")
    if rules["Type"] == "Number" and not (
        value.isdecimal() and rules.get("MinValue", 0) <= int(value) <= rules.get("MaxValue", int(value))
    ):
        raise Unusable(f"{variable} should hold a number from {rules.get('MinValue', 0)} to {rules.get('MaxValue')}.")
