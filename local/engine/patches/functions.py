"""How tasks call Lambda."""

from __future__ import annotations

from functools import cache
from typing import Any

from local.engine.patches.patcher import Patches, Settings

REGION = "us-east-1"


@cache
def _session() -> Any:
    """It keeps the description of Lambda's API, which takes 100 ms to read, for the next engine of this process."""
    import boto3

    return boto3.session.Session()


def one_client_for_all_tasks(patches: Patches, settings: Settings) -> None:
    """AWS: a task calls the Lambda of its account. Here that is the runtime at `settings.lambda_url`.

    moto: builds a new client for every task (some 50 ms each), which calls moto's own Lambda, which runs no
    code.
    """
    from botocore.config import Config
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    client = _session().client(
        "lambda",
        endpoint_url=settings.lambda_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},  # Retry in the definition decides
            connect_timeout=5,
            read_timeout=960,  # a function runs 15 minutes at most; the task's own timeout comes first
            max_pool_connections=100,
            inject_host_prefix=False,
            proxies={},
        ),
    )
    patches.replace(lambda_eval_utils, "boto_client_for", lambda **_: client)
    patches.on_undo(client.close)


def service_errors_have_names(patches: Patches, _: Settings) -> None:
    """AWS: where Lambda itself fails, the task fails with Lambda.TooManyRequestsException,
    Lambda.ServiceException and so on, or with Lambda.SdkClientException where it cannot be reached,
    whichever way the function is named.
    https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception

    moto: with a function's ARN as Resource the error is called Exception; an unreachable Lambda is
    States.Runtime or States.TaskFailed. A Retry by AWS's names does not see them.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_lambda
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda

    service_task = state_task_service_lambda.StateTaskServiceLambda
    direct, service = StateTaskLambda._from_error, service_task._from_error

    def named(ex: Exception) -> tuple[str, str] | None:
        if isinstance(ex, ClientError):
            error, cause = service_task._error_cause_from_client_error(ex)
            return str(error), str(cause)
        return ("Lambda.SdkClientException", str(ex)) if isinstance(ex, BotoCoreError) else None

    def from_direct_error(self: Any, env: Any, ex: Exception) -> Any:
        names = named(ex)
        if names is None:
            return direct(self, env, ex)
        details = {"lambdaFunctionFailedEventDetails": {"error": names[0], "cause": names[1]}}
        kind = HistoryEventType.LambdaFunctionFailed
        return FailureEvent(env=env, error_name=CustomErrorName(names[0]), event_type=kind, event_details=details)

    def from_service_error(self: Any, env: Any, ex: Exception) -> Any:
        names = named(ex)
        if names is None:
            return service(self, env, ex)
        resource = {"resource": self._get_sfn_resource(), "resourceType": self._get_sfn_resource_type()}
        details = {"taskFailedEventDetails": {"error": names[0], "cause": names[1], **resource}}
        kind = HistoryEventType.TaskFailed
        return FailureEvent(env=env, error_name=CustomErrorName(names[0]), event_type=kind, event_details=details)

    patches.replace(StateTaskLambda, "_from_error", from_direct_error)
    patches.replace(service_task, "_from_error", from_service_error)
