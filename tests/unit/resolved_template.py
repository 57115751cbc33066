"""template.yaml (or another) as CloudFormation would see it: every intrinsic replaced by its value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.runtime.intrinsics import Resolver, load_yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = {"GithubId": "acme", "GithubRepo": "checkout-api"}
STACK = "platform-deploy"
PSEUDO = {
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::StackName": STACK,
    "AWS::StackId": f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{STACK}/51af3dc0-da77-11e4-872e-1234567db123",
    "AWS::URLSuffix": "amazonaws.com",
}


class Named(dict[str, str]):
    """Whatever is referred to has its own name in angle brackets as its value."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


@cache
def _document(text: str) -> dict[str, Any]:
    """Read once: a template takes a third of a second, and nobody here changes it."""
    return load_yaml(text)


class Resolved:
    """A template with its parameters given."""

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        file: str = "template.yaml",
        facts: Mapping[str, str] | None = None,
    ) -> None:
        self.document = _document((ROOT / file).read_text("utf-8"))
        given = {**(OURS if file == "template.yaml" else {}), **(parameters or {})}
        self._resolver = Resolver(self.document, given, Named({**PSEUDO, **(facts or {})}))

    def value(self, node: Any) -> Any:
        return self._resolver.value(node, "template")

    def resources(self, kind: str) -> dict[str, Any]:
        """Properties by logical name, of those whose condition holds."""
        return {
            name: self.value(each.get("Properties") or {})
            for name, each in self.document["Resources"].items()
            if each["Type"] == kind and self._resolver.exists(each, name)
        }

    def outputs(self) -> dict[str, Any]:
        return {name: self.value(each["Value"]) for name, each in self.document["Outputs"].items()}
