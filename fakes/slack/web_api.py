"""Slack's own description of its methods: which requests each reads, and which error words it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_suffix(".yaml")
PAGE = "https://docs.slack.dev/reference/methods/"
"""Where each method's own page is."""
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(frozen=True)
class Method:
    """One method. `verbs`: GET, POST. `consumes`: content types of a POST. `required`, `parameters`: names, without
    the token's. `missing`: the error word where a required parameter is absent. `errors`: all words that it has."""

    verbs: frozenset[str]
    consumes: frozenset[str]
    required: tuple[str, ...]
    parameters: frozenset[str]
    missing: str
    errors: frozenset[str]


def raw() -> dict[str, Any]:
    """The file as it is."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def _methods() -> dict[str, Method]:
    described = raw()
    common = frozenset(described.pop("every method")["errors"])
    return {name: _method(one, one.get("newer") or {}, common) for name, one in described.items()}


def _method(one: dict[str, Any], newer: dict[str, Any], common: frozenset[str]) -> Method:
    required = [name for name in one["required"] if name not in newer.get("optional", ())]
    extra = newer.get("parameters", [])
    return Method(
        verbs=frozenset({"POST", one["verb"].upper()}),
        consumes=frozenset(one["consumes"]),
        required=(*required, *newer.get("required", ())),
        parameters=frozenset([*one["required"], *one["optional"], *extra]),
        missing=newer.get("missing", "invalid_arguments"),
        errors=common.union(one["errors"], newer.get("errors", ()), newer.get("observed", ())),
    )


METHODS = _methods()
