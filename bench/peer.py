"""The peer: a deploy command with Bolt for Python, as Slack's page has it for AWS Lambda.

https://docs.slack.dev/tools/bolt-python/concepts/lazy-listeners (`process_before_response`: Lambda freezes what goes on
after the answer). Secrets come from Secrets Manager, read once, and the command starts an execution: as our edge does.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from slack_bolt import Ack, App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_sdk import WebClient

secret = json.loads(
    boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["CHATOPS_SLACK_SECRET_ARN"])["SecretString"]
)
states = boto3.client("stepfunctions")
app = App(
    process_before_response=True,
    signing_secret=secret["SLACK_SIGNING_SECRET"],
    client=WebClient(token=secret["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
)


@app.command("/platform-deploy")  # type: ignore[untyped-decorator]  # Bolt has no types here
def deploy(ack: Ack, command: dict[str, Any]) -> None:
    """Start the execution, then say so."""
    states.start_execution(
        stateMachineArn=os.environ["CHATOPS_STATE_MACHINE_ARN"],
        name=f"d-{command['trigger_id']}".replace(".", "-"),
        input=json.dumps({"command": "deploy", "version": command["text"], "requester": {"id": command["user_id"]}}),
    )
    ack(f"Got it. Deploying {command['text']}.")


def handler(event: Any, context: Any) -> Any:
    """POST /slack/events."""
    return SlackRequestHandler(app=app).handle(event, context)
