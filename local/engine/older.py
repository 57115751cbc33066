"""What Step Functions Local does otherwise than AWS, as far as the suite would notice: so that it can be held to that
here, without Docker and Java. Seen with the Java program of release 1.7.9.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local.engine.patches.patcher import Patches

NEWER = ("MaxDelaySeconds", "JitterStrategy", "QueryLanguage", "Assign")
"""Fields of the language that came later than that program, which refuses a definition with one of them."""


UNSCALED = "retries_scale"
"""The patch that it does without: WAIT_TIME_SCALE is for Wait states alone."""


def as_step_functions_local(patches: Patches) -> None:
    """Apply all of it, after the patches."""
    _newer_fields_are_refused(patches)
    _describe_says_less(patches)


def _newer_fields_are_refused(patches: Patches) -> None:
    from moto.core.exceptions import AWSError
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    validate = StepFunctionsParserBackend._validate_definition

    def check(definition: str) -> None:
        if found := sorted(set(NEWER) & set(_fields(json.loads(definition)))):
            text = f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Field {found[0]} is not supported'"
            raise AWSError(text, "InvalidDefinition", 400)
        validate(definition=definition)

    patches.replace(StepFunctionsParserBackend, "_validate_definition", staticmethod(check))


def _fields(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _fields(value)
    elif isinstance(node, list):
        for item in node:
            yield from _fields(item)


def _describe_says_less(patches: Patches) -> None:
    """No error and no cause: they stand in the history alone."""
    from moto.stepfunctions.responses import StepFunctionResponse

    describe_execution = StepFunctionResponse.describe_execution

    def describe(self: Any) -> Any:
        answer = describe_execution(self)
        for name in ("error", "cause"):
            answer._result.pop(name, None)
        return answer

    patches.replace(StepFunctionResponse, "describe_execution", describe)
