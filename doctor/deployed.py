"""What is deployed: a stack's outputs and parameters, its functions' variables, and its secrets, read as whoever asks.

Wanted of them: cloudformation:DescribeStacks and DescribeStackResource, lambda:GetFunctionConfiguration,
secretsmanager:GetSecretValue. Without the third the parameters stand in; without the last the secrets are left out.
"""

from __future__ import annotations

import json
import os
from typing import Any

from chatops.aws import error_code
from doctor.aws_answers import asking
from doctor.checks.configuration import PARAMETERS, SECRETS
from doctor.clients import Aws
from doctor.installation import Installation, Stack, secrets_of
from doctor.result import NotLooked

FUNCTION = "PlanFunction"
"""The function whose variables are read: it has all of them (template.yaml, Globals, and its own)."""


class NoStack(Exception):
    """There is no such stack to be seen; the text says where was looked."""


def installation(name: str, target: str = "", aws: Aws | None = None) -> Installation:
    """The stack of that name in the caller's region and account.

    Raises NoStack, NotLooked (no credentials, no right to look) and NoAnswer.
    """
    aws = aws or Aws(os.environ.get("AWS_REGION", "").strip() or os.environ.get("AWS_DEFAULT_REGION", "").strip())
    stack = _stack(aws, name)
    region = str(aws.client("cloudformation").meta.region_name)
    env, source = _variables(aws, stack)
    stored, trouble = _secrets(aws, stack)
    return Installation(
        env={"AWS_REGION": region, **env},
        secrets=secrets_of({}, stored),
        aws=aws,
        stack=stack,
        only=target,
        source=source,
        secrets_trouble=trouble,
    )


def _stack(aws: Aws, name: str) -> Stack:
    from botocore.exceptions import ClientError

    try:
        with asking("cloudformation:DescribeStacks"):
            client = aws.client("cloudformation")
            found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise NoStack(f"CloudFormation refuses to show the stack {name} ({error_code(error)}).") from None
        where = client.meta.region_name
        raise NoStack(
            f"There is no stack {name} in {where}, in the account of your credentials. Set AWS_REGION and AWS_PROFILE "
            "to where it was deployed; aws cloudformation describe-stacks lists those that are there."
        ) from None
    return Stack(
        name=str(found["StackName"]),
        status=str(found["StackStatus"]),
        outputs={one["OutputKey"]: str(one["OutputValue"]) for one in found.get("Outputs", [])},
        parameters={one["ParameterKey"]: str(one.get("ParameterValue", "")) for one in found.get("Parameters", [])},
    )


def _variables(aws: Aws, stack: Stack) -> tuple[dict[str, str], str]:
    """The functions' variables, and where they were read."""
    from botocore.exceptions import ClientError

    try:
        with asking("lambda:GetFunctionConfiguration"):
            resource = aws.client("cloudformation").describe_stack_resource(
                StackName=stack.name, LogicalResourceId=FUNCTION
            )["StackResourceDetail"]
            found = aws.client("lambda").get_function_configuration(FunctionName=resource["PhysicalResourceId"])
            return dict(found["Environment"]["Variables"]), f"the functions of the stack {stack.name}"
    except (ClientError, NotLooked, KeyError):
        given = {variable: stack.parameters.get(name, "") for variable, name in PARAMETERS.items()}
        given |= {
            "CHATOPS_TABLE": stack.outputs.get("TableName", ""),
            "CHATOPS_STATE_MACHINE_ARN": stack.outputs.get("StateMachineArn", ""),
            **{variable: stack.outputs.get(output, "") for variable, output in SECRETS.items()},
            "CHATOPS_API_URL": stack.outputs.get("SlackRequestUrl", "").removesuffix("/slack/events"),
        }
        return given, f"the parameters of the stack {stack.name} (its functions' variables could not be read)"


def _secrets(aws: Aws, stack: Stack) -> tuple[dict[str, Any], str]:
    """What is stored in the two, and why one of them could not be read."""
    found = {output: _secret(aws, stack, output) for output in SECRETS.values()}
    stored = {name: value for values, _ in found.values() for name, value in values.items()}
    return stored, next((trouble for _, trouble in found.values() if trouble), "")


def _secret(aws: Aws, stack: Stack, output: str) -> tuple[dict[str, Any], str]:
    from botocore.exceptions import ClientError

    arn = stack.outputs.get(output, "")
    if not arn:
        return {}, f"the stack has no output {output}"
    try:
        with asking("secretsmanager:GetSecretValue"):
            text = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    except NotLooked as why:
        return {}, str(why)
    except (ClientError, KeyError) as error:
        return {}, f"the secret {arn} cannot be read ({error_code(error) or 'it holds no text'})"
    try:
        stored = json.loads(text)
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        return {}, f"the secret {arn} holds no JSON object of names and values"
    return stored, ""
