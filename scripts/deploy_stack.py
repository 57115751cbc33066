"""make deploy: `sam deploy`, without questions, of what `make build` has built.

Of the pipeline's variables: CHATOPS_STACK_NAME (default platform-deploy), CHATOPS_ARTIFACTS_BUCKET (default: SAM's own)
and CHATOPS_CLOUDFORMATION_ROLE_ARN (default: the caller's own rights), the latter two made by templates/bootstrap.yaml,
and what `stack_parameters` reads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code
from scripts import stack_parameters
from scripts.deploy_ready import append

ROOT = Path(__file__).resolve().parents[1]
SAM = ROOT / ".venv-tools/sam/bin/sam"
BUILT = ROOT / ".aws-sam/build/template.yaml"
SHOWN = ("SlackRequestUrl", "StateMachineConsole", "DashboardConsole", "SecretArn")


def command(env: Mapping[str, str], parameters: Mapping[str, str]) -> list[str]:
    """`sam deploy`, with everything that it would ask about."""
    given = stack_parameters.variables(env)
    bucket, role = given.get("CHATOPS_ARTIFACTS_BUCKET"), given.get("CHATOPS_CLOUDFORMATION_ROLE_ARN")
    return [
        *(str(SAM), "deploy", "--template-file", str(BUILT), "--stack-name", stack_parameters.stack_name(env)),
        *("--config-env", "pipeline"),  # samconfig.toml: what never differs
        *(("--s3-bucket", bucket) if bucket else ("--resolve-s3",)),
        *(("--role-arn", role) if role else ()),
        *(("--parameter-overrides", *(f"{k}={v}" for k, v in parameters.items())) if parameters else ()),
    ]


def exists(cloudformation: Any, stack: str) -> bool:
    """Whether the stack has been deployed before. Raises ClientError where AWS does not say."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        return False
    return bool(found["StackStatus"] != "REVIEW_IN_PROGRESS")  # a change set that nobody executed


def deploy(env: Mapping[str, str]) -> int:
    """Deploy, and show where things are. SAM's own words say what went wrong."""
    client = boto3.client("cloudformation")
    try:
        stack = stack_parameters.stack_name(env)
        parameters = stack_parameters.overrides(env, new=not exists(client, stack))
    except stack_parameters.Unusable as problem:
        print(f"::error title=Not deployed::{problem}")
        return 1
    except (ClientError, BotoCoreError) as error:
        said = error_code(error) or type(error).__name__
        print(f"::error title=Not deployed::AWS does not show the stack ({said}). Nothing was changed.")
        return 1
    print(f"Parameters that the variables set: {', '.join(sorted(parameters)) or 'none'}; others stay as they are.")
    done = subprocess.run(command(env, parameters), env={**env, "SAM_CLI_TELEMETRY": "0"}, check=False, cwd=ROOT)
    if done.returncode:
        print(f"::error title=Not deployed::sam deploy failed (see above); CloudFormation puts back what {stack} was.")
        return done.returncode
    found = client.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {one["OutputKey"]: str(one["OutputValue"]) for one in found.get("Outputs", [])}
    rows = "".join(f"| {name} | {outputs[name]} |\n" for name in SHOWN if name in outputs)
    append(env, "GITHUB_STEP_SUMMARY", f"### Deployed {stack}\n\n| output | value |\n|---|---|\n{rows}")
    return 0


if __name__ == "__main__":
    sys.exit(deploy(os.environ))
