"""The AWS CLI as far as the pipeline uses it, on boto3: options become parameters by botocore's own rule.

So every option and every value is held against AWS's own description before a fake answers it.
https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name

SERVICES = {"s3api": "s3", "deploy": "codedeploy"}


class Cli:
    """`Cli({"ecs": url})("ecs", "describe-services", …)`; remembers what it was asked."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._endpoints = endpoints
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload, unused-ignore]
            endpoint_url=self._endpoints.get(service),
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def __call__(self, *arguments: str) -> dict[str, Any]:
        service, command, *words = arguments
        client = self.client(SERVICES.get(service, service))
        operation = client.meta.method_to_api_mapping[command.replace("-", "_")]
        members = client.meta.service_model.operation_model(operation).input_shape.members
        names = {xform_name(name, "-"): (name, shape) for name, shape in members.items()}
        parameters: dict[str, Any] = {}
        for option, value in zip(words[::2], words[1::2], strict=True):
            if option == "--cli-input-json":
                parameters |= json.loads(_file(value))
                continue
            name, shape = names[option.removeprefix("--")]
            if shape.type_name == "list":
                parameters[name] = [value]
            elif shape.type_name == "blob":
                parameters[name] = Path(value).read_bytes()
            elif shape.type_name == "string":
                parameters[name] = _file(value)
            else:
                parameters[name] = json.loads(value)
        self.asked.append((service, command, parameters))
        answer: dict[str, Any] = getattr(client, command.replace("-", "_"))(**parameters)
        return answer


def _file(value: str) -> str:
    return Path(value.removeprefix("file://")).read_text() if value.startswith("file://") else value
