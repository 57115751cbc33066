"""CHATOPS_RELEASE: a changed parameter of the stack publishes new versions of the functions.

SAM publishes a version when a function's properties change as they are written, and `!Ref Language` reads the same
whatever Language is. `make deploy` therefore writes a hash of all values into the built template, as a literal in every
function's environment. Nothing reads it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.runtime.intrinsics import load_yaml

VARIABLE = "CHATOPS_RELEASE"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def effective(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str], kept: Mapping[str, str]
) -> dict[str, str]:
    """The value that each declared parameter has after the deployment: what is given, else what the stack keeps, else
    its default. A parameter that has none of them is left out; CloudFormation refuses it.

    A NoEcho value is never shown, so it is not hashed either: one that is given counts as a new one.
    """
    values = {}
    for name, rules in declared.items():
        if name in given:
            values[name] = uuid.uuid4().hex if rules.get("NoEcho") else given[name]
        elif name in kept:
            values[name] = kept[name]
        elif "Default" in rules:
            values[name] = str(rules["Default"])
    return values


def release(values: Mapping[str, str]) -> str:
    """The same for the same values, in whatever order: an r and 15 hexadecimal digits. Without the letter,
    CloudFormation would read some as numbers (`12e4567890123456`, which PyYAML writes without quotes) and change them.
    https://github.com/aws/serverless-application-model/issues/200
    """
    return "r" + hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:15]


def write(built: Path, given: Mapping[str, str], kept: Mapping[str, str]) -> str:
    """Write the release into a built template, and return it. Raises OSError and YAMLError where there is none."""
    document = load_yaml(built.read_text("utf-8"))
    found = release(effective(document.get("Parameters") or {}, given, kept))
    part = document
    for key in ("Globals", "Function", "Environment", "Variables"):
        part = part.setdefault(key, {})
    part[VARIABLE] = found
    beside = built.with_name(f"{built.name}.new")
    beside.write_text(yaml.dump(document, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120), "utf-8")
    beside.replace(built)  # an interrupted deployment leaves a whole template
    return found
