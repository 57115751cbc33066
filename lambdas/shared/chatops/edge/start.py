"""StartExecution: the first idempotency gate."""

from __future__ import annotations

from chatops import aws
from chatops.domain.errors import Refusal
from chatops.edge import PATIENCE
from chatops.network import deadline
from chatops.observability import logger
from chatops.settings.config import settings


def start(name: str, text: str, target: str) -> bool:
    """Start the execution with this name and input. False if there is one of that name already: it belongs to the same
    delivery or press. Raises Refusal if Step Functions did not answer."""
    states = aws.client("stepfunctions", patience=PATIENCE)
    deadline.change()
    try:
        states.start_execution(stateMachineArn=settings().state_machine_arn, name=name, input=text)
    except states.exceptions.ExecutionAlreadyExists:
        return False  # the input differs, or the execution has ended
    except aws.failures() as error:
        logger.error("execution not started", error=aws.error_code(error) or type(error).__name__, deployment_id=name)
        raise Refusal("not_started", target=target) from None
    logger.info("execution started", deployment_id=name)
    return True
