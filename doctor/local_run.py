"""The local run as an installation: fakes for everybody else, and one fault where one is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chatops.settings.secrets import WEBHOOK
from doctor.checks import configuration
from doctor.clients import Aws
from doctor.installation import Installation, Stack, secrets_of

if TYPE_CHECKING:
    from local.session import Session

_SERVICES = {
    "codedeploy": "AWS_ENDPOINT_URL_CODEDEPLOY",
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "ecs": "AWS_ENDPOINT_URL_ECS",
    "stepfunctions": "AWS_ENDPOINT_URL_SFN",
    "sts": "AWS_ENDPOINT_URL_STS",
}


@contextmanager
def started(fault: str = "", target: str = "") -> Iterator[Installation]:
    """The whole local run, for the length of a `with` block. `fault`: a name of `local.misconfigured.FAULTS`."""
    from local.misconfigured import FAULTS
    from local.session import session

    with session() as made:
        env: dict[str, str] = {}
        if fault:
            FAULTS[fault].apply(made, env)
        yield described(made, env, target)


def described(made: Session, changes: dict[str, str] | None = None, target: str = "") -> Installation:
    """That local run, with these settings changed."""
    from local.session import CREDENTIALS, REGION, SECRETS, STACK

    env = made.environment() | {"AWS_REGION": REGION} | (changes or {})
    texts = [made.secrets.get_secret_value(SecretId=name)["SecretString"] for name in SECRETS.values()]
    stored = {name: value for text in texts for name, value in json.loads(text).items()}
    set_here = {name: value for name, value in (changes or {}).items() if name in stored}
    endpoints = {service: env[variable] for service, variable in _SERVICES.items()} | {"": env["AWS_ENDPOINT_URL"]}
    keys = {name: value for name, value in CREDENTIALS.items() if name != "region_name"}
    outputs = {
        "SlackRequestUrl": f"{env['CHATOPS_API_URL']}/slack/events",
        "StateMachineArn": env["CHATOPS_STATE_MACHINE_ARN"],
        "TableName": env["CHATOPS_TABLE"],
        **{output: env[variable] for variable, output in configuration.SECRETS.items()},
        "WebhookSecretArn": (changes or {}).get(WEBHOOK) or made.environment("wake")[WEBHOOK],
    }
    return Installation(
        env=env,
        secrets=secrets_of({}, stored | set_here),
        aws=Aws(REGION, endpoints, **keys),
        stack=Stack(STACK, "CREATE_COMPLETE", outputs),
        only=target,
        local=True,
        source="the local run",
    )
