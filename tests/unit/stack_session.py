"""A stack as CloudFormation shows it, for the commands that deploy it and fill its secret."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


class CloudFormation:
    """DescribeStacks, with memory of what was asked."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, stacks: dict[str, dict[str, Any]] | None = None, refuses: str = "") -> None:
        self.stacks, self.refuses = stacks or {}, refuses
        self.asked: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - botocore's name
        self.asked.append(StackName)
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, "DescribeStacks")
        if StackName not in self.stacks:
            text = f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "DescribeStacks")
        return {"Stacks": [{"StackName": StackName, "StackStatus": "UPDATE_COMPLETE", **self.stacks[StackName]}]}


def outputs(**values: str) -> dict[str, Any]:
    return {"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]}
