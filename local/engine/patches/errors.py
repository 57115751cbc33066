"""Which errors a Retry or Catch sees:
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from typing import Any

from local.engine.patches.patcher import Patches, Settings


def runtime_errors_cannot_be_caught(patches: Patches, _: Settings) -> None:
    """AWS: States.Runtime (a path that is not there) and States.DataLimitExceeded fail the execution;
    States.ALL does not match them.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation

    moto: States.ALL matches them, so a mistake in a definition looks like a step that failed; and where the
    Resource is a function's ARN, a path that is not there is called Exception.
    """
    from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    kinds = (StatesErrorNameType.StatesRuntime, StatesErrorNameType.StatesStatesDataLimitExceeded)
    terminal = [StatesErrorName(typ=kind) for kind in kinds]
    evaluate = ErrorEqualsDecl._eval_body

    def match(self: Any, env: Any) -> None:
        if env.stack[-1] in terminal:
            env.stack[-1] = False
            return
        evaluate(self, env)

    from_error = StateTaskLambda._from_error

    def name(self: Any, env: Any, ex: Exception) -> Any:
        missing = isinstance(ex, NoSuchJsonPathError)
        return ExecutionState._from_error(self, env, ex) if missing else from_error(self, env, ex)

    patches.replace(ErrorEqualsDecl, "_eval_body", match)
    patches.replace(StateTaskLambda, "_from_error", name)
