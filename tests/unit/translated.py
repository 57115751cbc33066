"""What CloudFormation makes of a template: aws-sam-translator is the program behind its Serverless transform."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.runtime.intrinsics import load_yaml

LOCAL = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
"""The properties that `sam deploy` uploads, by type."""


def packed(template: Path) -> dict[str, Any]:
    """A built template as `sam deploy` hands it to CloudFormation: folders became objects in S3, named by a hash of
    what is in them (samcli.lib.package.utils).
    """
    document = load_yaml(template.read_text("utf-8"))
    for resource in document["Resources"].values():
        if (name := LOCAL.get(resource["Type"])) and isinstance(resource["Properties"][name], str):
            found = _hash(template.parent / resource["Properties"][name])
            resource["Properties"][name] = f"s3://artifacts/platform-deploy/{found}"
    return document


def _hash(path: Path) -> str:
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    assert files, f"{path} is empty"
    found = hashlib.md5(usedforsecurity=False)
    for file in files:
        found.update(str(file.relative_to(path)).encode() + file.read_bytes())
    return found.hexdigest()


class Translated:
    """A template without Serverless types."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
        made = translator.translate(copy.deepcopy(dict(document)), dict(parameters))
        self.resources: dict[str, Any] = made["Resources"]

    @classmethod
    def of(cls, template: Path, parameters: Mapping[str, str]) -> Translated:
        """Of a built template."""
        return cls(packed(template), parameters)

    def of_type(self, kind: str) -> dict[str, Any]:
        return {name: each for name, each in self.resources.items() if each["Type"] == kind}

    @property
    def versions(self) -> dict[str, str]:
        """Function to the logical id of its version: a new id is a new version."""
        found = self.of_type("AWS::Lambda::Version").items()
        return {each["Properties"]["FunctionName"]["Ref"]: name for name, each in found}

    @property
    def behind_aliases(self) -> dict[str, str]:
        """Function to the version that API Gateway and EventBridge call."""
        found = [each["Properties"] for each in self.of_type("AWS::Lambda::Alias").values()]
        return {each["FunctionName"]["Ref"]: each["FunctionVersion"]["Fn::GetAtt"][0] for each in found}

    @property
    def in_the_state_machine(self) -> dict[str, str]:
        """Function to the version that new executions call."""
        (machine,) = self.of_type("AWS::StepFunctions::StateMachine").values()
        substitutions = machine["Properties"]["DefinitionSubstitutions"]
        return {name.removesuffix("Arn"): each["Ref"] for name, each in substitutions.items()}

    def published_since(self, before: Translated) -> set[str]:
        """The functions that have a new version."""
        return {name for name, version in self.versions.items() if before.versions.get(name) != version}


def steps(definition: str) -> set[str]:
    """The functions that a definition names, by their substitutions."""
    return {name.removesuffix("Arn") for name in re.findall(r"\$\{(\w+)\}", definition)}
