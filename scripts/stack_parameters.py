"""The stack's parameters from a pipeline's variables, and from what stands behind `make deploy`.

A setting has the name that the functions know it by (ECS_CLUSTER_NAME, SLACK_APPROVERS). Names that GitHub does not
allow, and all other parameters, have CHATOPS_ before them (CHATOPS_GITHUB_REPO, CHATOPS_ALARM_EMAIL). A parameter that
has no variable stays what it is in the stack.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from doctor.checks.configuration import PARAMETERS
from local.runtime.intrinsics import load_yaml

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
PERHAPS_SECRET = ("SLACK_CHANNEL_ID", "SLACK_APPROVERS")
"""Variables that people also keep as secrets of the repository."""

_OF_MAKE = {"STACK_NAME": "STACK", "STACKNAME": "STACK", "CHATOPS_STACK_NAME": "STACK", "REGION": "AWS_REGION"}
"""Names that `make deploy` does not read, and what is meant by them: ignored, they would change another stack."""


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

    Without VARIABLES this is nobody's pipeline, and the others are those of a local run. Raises Unusable.
    """
    if "VARIABLES" not in env:
        return {}
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


def overrides(
    env: Mapping[str, str], *, new: bool, kept: Mapping[str, str] | None = None, required: bool = True
) -> dict[str, str]:
    """What to set: `typed`, else `variables`. A new stack is for the pipeline's own repository, unless they say
    otherwise.

    `kept`: what the stack knows already. Raises Unusable for a value that the stack would refuse and, where `required`,
    for the lack of one that has no default.
    """
    made = dict(zip(("GithubId", "GithubRepo"), _own_repository(env), strict=False)) if new else {}
    from_variables = variables(env)
    for parameter in declared():
        if value := from_variables.get(variable_of(parameter), ""):
            made[parameter] = checked(parameter, value, variable_of(parameter))
    for parameter, value in typed(env).items():
        made[parameter] = checked(parameter, value)
    if required and (new or kept):
        for parameter in missing({**(kept or {}), **made}):
            what = declared()[parameter]["Description"]
            raise Unusable(f"{variable_of(parameter)} is not set; {'a new' if new else 'the'} stack needs it: {what}")
    return made


def _own_repository(env: Mapping[str, str]) -> tuple[str, ...]:
    """Owner and name of the repository whose pipeline this is, or nothing."""
    owner, _, name = env.get("GITHUB_REPOSITORY", "").partition("/")
    return (owner, name) if owner and name else ()


def missing(known: Mapping[str, str]) -> list[str]:
    """The parameters that have neither a value nor a default."""
    return [name for name, rules in declared().items() if "Default" not in rules and name not in known]


def typed(env: Mapping[str, str]) -> dict[str, str]:
    """The parameters behind `make deploy`: by their own names or their variables'; an empty one empties the parameter.

    They come from MAKEFLAGS, because only there a `$` is still one:
    https://www.gnu.org/software/make/manual/html_node/Options_002fRecursion.html. Raises Unusable for a name that is
    none of a parameter, if it looks like one.
    """
    names: dict[str, str] = {}
    for parameter in declared():
        variable = variable_of(parameter)
        names |= dict.fromkeys((parameter, variable, variable.removeprefix("CHATOPS_")), parameter)
    found = {}
    for word in re.findall(r"(?:\\.|[^\\\s])+", env.get("MAKEFLAGS", "")):
        name, given, value = re.sub(r"\\(.)", r"\1", word).partition("=")
        if not given or not re.fullmatch(r"[A-Za-z]\w*", name):
            continue
        if name in names:
            found[names[name]] = value.replace("$$", "$").strip()
        elif (like := _meant(name, names)) or not name.isupper() or name.startswith("CHATOPS_"):
            known = f"Do you mean {like}?" if like else f"There are: {', '.join(declared())}."
            raise Unusable(f"{name} is not a parameter of the stack. {known}")
    return found


def _meant(name: str, names: Iterable[str]) -> str:
    """What a name of no parameter may stand for; empty where nothing is like it."""
    if name in _OF_MAKE:
        return _OF_MAKE[name]
    return next(iter(difflib.get_close_matches(name, names, 1, 0.8)), "")


def checked(parameter: str, value: str, name: str = "") -> str:
    """The value as the stack takes it. Raises Unusable, by `name` (default: the parameter's own), for one that
    CloudFormation would refuse.
    """
    rules, name = declared()[parameter], name or parameter
    if parameter == "SlackApprovers":
        value = re.sub(r"\s*,\s*", ",", value)  # the same people, so the same value
    allowed = [str(each) for each in rules.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise Unusable(f"{name} should hold one of {', '.join(each or '(empty)' for each in allowed)}.")
    pattern = rules.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        raise Unusable(f"{name} should hold {rules['ConstraintDescription']}.")
    if rules["Type"] == "Number" and not (
        value.isdecimal() and rules.get("MinValue", 0) <= int(value) <= rules.get("MaxValue", int(value))
    ):
        raise Unusable(f"{name} should hold a number from {rules.get('MinValue', 0)} to {rules.get('MaxValue')}.")
    return value
