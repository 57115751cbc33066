"""Where a stack's bot is, by the stack's outputs; wants cloudformation:DescribeStacks."""

from __future__ import annotations

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code
from pipeline.caller import Bot


class Unreadable(Exception):
    """The stack does not say where its bot is; the text says why, and what to do."""


def bot_of(stack: str) -> Bot:
    """Raises Unreadable."""
    region = os.environ.get("AWS_REGION", "").strip() or None
    try:
        found = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        said = error_code(error) if isinstance(error, ClientError) else type(error).__name__
        raise Unreadable(
            f"The stack {stack} cannot be read ({said}). Set AWS_REGION and AWS_PROFILE to where it was deployed, or "
            "give its outputs ChatOpsUrl and ChatOpsAudience as CHATOPS_URL=… CHATOPS_AUDIENCE=…"
        ) from None
    outputs = {one["OutputKey"]: str(one["OutputValue"]) for one in found.get("Outputs", [])}
    if not {"ChatOpsUrl", "ChatOpsAudience"} <= outputs.keys():
        raise Unreadable(
            f"The stack {stack} has no outputs ChatOpsUrl and ChatOpsAudience: it is another stack than this bot's, or "
            "was deployed before they were there (make deploy)."
        )
    return Bot(outputs["ChatOpsUrl"], outputs["ChatOpsAudience"])
