"""StartExecution: the first idempotency gate."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from chatops import aws, deadline
from chatops.config import settings
from chatops.edge.limits import PATIENCE
from chatops.observability import logger


def start(name: str, text: str) -> bool:
    """Start the execution, or find it started by the same delivery; False if Step Functions did not answer."""
    return bool(begin(name, text))


def begin(name: str, text: str) -> str:
    """`started`, `exists` where there was an execution of that name already, or nothing if Step Functions did not
    answer."""
    states = aws.client("stepfunctions", patience=PATIENCE)
    deadline.change()
    try:
        states.start_execution(stateMachineArn=settings().state_machine_arn, name=name, input=text)
    except states.exceptions.ExecutionAlreadyExists:
        # the same delivery after its execution has ended; the same name is the same delivery
        return "exists"
    except (ClientError, BotoCoreError) as error:
        logger.error("execution not started", error=aws.error_code(error) or type(error).__name__, deployment_id=name)
        return ""
    logger.info("execution started", deployment_id=name)
    return "started"
