"""Which errors a Retry or Catch sees:
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from typing import Any

from local.engine.patches import Patches, Settings


def runtime_errors_cannot_be_caught(patches: Patches, _: Settings) -> None:
    """AWS: States.Runtime (a path that is not there) and States.DataLimitExceeded fail the execution;
    States.ALL does not match them.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation

    moto: States.ALL matches them, so a mistake in a definition looks like a step that failed.
    """
    from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType,
    )

    kinds = (StatesErrorNameType.StatesRuntime, StatesErrorNameType.StatesStatesDataLimitExceeded)
    terminal = [StatesErrorName(typ=kind) for kind in kinds]
    evaluate = ErrorEqualsDecl._eval_body

    def match(self: Any, env: Any) -> None:
        if env.stack[-1] in terminal:
            env.stack[-1] = False
            return
        evaluate(self, env)

    patches.replace(ErrorEqualsDecl, "_eval_body", match)
