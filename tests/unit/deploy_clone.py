"""A clone of this project, its build and its stack, for what `make deploy` does. CloudFormation and the SAM CLI are
fakes; what becomes of the template is decided by aws-sam-translator.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from local.runtime.intrinsics import load_yaml
from scripts import deploy_stack
from tests.unit.resolved_template import OURS, ROOT
from tests.unit.stack_session import CloudFormation
from tests.unit.translated import LOCAL, Translated, packed

STACK = "platform-deploy"


class Clone:
    """Change its files, `build`, `deploy`, and look at `translated`."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.built = root, root / ".aws-sam/build/template.yaml"
        self.cloudformation = CloudFormation()
        self.arguments: list[str] = []
        self.exit_code = 0
        self.translated: Translated
        monkeypatch.setattr(deploy_stack, "BUILT", self.built)
        monkeypatch.setattr(deploy_stack.boto3, "client", {"cloudformation": self.cloudformation}.__getitem__)
        monkeypatch.setattr(deploy_stack.subprocess, "run", self._sam_deploy)

    @classmethod
    def of_this_project(cls, root: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
        shutil.copy(ROOT / "template.yaml", root)
        for name in ("statemachine", "lambdas"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "targets.yaml"))
        return cls(root, monkeypatch)

    def copy(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
        """As it is now; neither sees what becomes of the other."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        made = Clone(root, monkeypatch)
        made.cloudformation.stacks = copy.deepcopy(self.cloudformation.stacks)
        if self.cloudformation.stacks:
            made.translated = self.translated
        return made

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.root / file).read_text("utf-8")
        assert old in text
        (self.root / file).write_text(text.replace(old, new), "utf-8")

    def build(self) -> None:
        """As `sam build` leaves it: a folder for each function and layer beside the template, which names it."""
        shutil.rmtree(self.built.parent, ignore_errors=True)
        document = load_yaml((self.root / "template.yaml").read_text("utf-8"))
        for name, resource in document["Resources"].items():
            if local := LOCAL.get(resource["Type"]):
                source = self.root / resource["Properties"][local]
                if source.is_dir():
                    inner = "python" if local == "ContentUri" else ""
                    shutil.copytree(source, self.built.parent / name / inner)
                    resource["Properties"][local] = name
                else:
                    resource["Properties"][local] = f"../../{resource['Properties'][local]}"
        self.built.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False), "utf-8")

    def deploy(self, env: dict[str, str] | None = None, **options: Any) -> int:
        return deploy_stack.deploy({"MAKEFLAGS": "", **(env or {})}, **options)

    def _sam_deploy(self, arguments: list[str], **_: Any) -> Any:
        """`sam deploy` and CloudFormation: what is not given keeps its value, what is new has its default."""
        self.arguments = arguments
        if self.exit_code:
            return SimpleNamespace(returncode=self.exit_code)
        given: dict[str, str] = {}
        if "--parameter-overrides" in arguments:
            file = Path(arguments[arguments.index("--parameter-overrides") + 1].removeprefix("file://"))
            given = yaml.safe_load(file.read_text("utf-8"))
        document = packed(Path(arguments[arguments.index("--template-file") + 1]))
        name = arguments[arguments.index("--stack-name") + 1]
        kept = self.parameters(name)
        values = {}
        for parameter, rules in document["Parameters"].items():
            default = str(rules["Default"]) if "Default" in rules else kept.get(parameter)
            values[parameter] = given.get(parameter, kept.get(parameter, default))
        assert None not in values.values(), "CloudFormation: Parameters must have values"
        self.translated = Translated(document, values)
        self.cloudformation.stacks[name] = {
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "LastUpdatedTime": len(self.cloudformation.asked),
        }
        return SimpleNamespace(returncode=0)

    def parameters(self, name: str = STACK) -> dict[str, str]:
        """What the stack holds."""
        found = self.cloudformation.stacks.get(name, {}).get("Parameters", [])
        return {each["ParameterKey"]: each["ParameterValue"] for each in found}


def typed(**parameters: str) -> dict[str, str]:
    """What make hands over: `make deploy NAME=value ...`."""
    escaped = (f"{name}={value}".replace("\\", r"\\").replace(" ", r"\ ") for name, value in parameters.items())
    return {"MAKEFLAGS": f" -- {' '.join(escaped)}".replace("$", "$$")}


NEW = typed(**OURS)
