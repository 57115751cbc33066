"""What template.yaml says exists: functions, routes, schedules, the state machine. The local run has no
list of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from local.runtime.intrinsics import Resolver, TemplateError, load_yaml

__all__ = ["Function", "Template", "TemplateError", "function_arn", "load_template"]

ACCOUNT = "123456789012"
REGION = "us-east-1"
STATUS_CHANGE = "Step Functions Execution Status Change"
SERVICES = (["aws.ecs"], ["aws.codedeploy"])
OWN = ["platform-deploy"]
FUNCTION_TYPE, LAYER_TYPE = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
MACHINE_TYPE = "AWS::Serverless::StateMachine"
# The units a rate expression knows:
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
RATE = re.compile(r"^rate\((\d+) (minute|hour|day)s?\)$")
RATE_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Function:
    """One Lambda. `name` is the last folder of its CodeUri: what the local ARN ends with."""

    name: str
    code_dir: Path
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int = 3
    memory_mb: int = 128

    @property
    def arn(self) -> str:
        return function_arn(self.name)


@dataclass(frozen=True)
class Template:
    """The parts of template.yaml that the local run plays. Paths are absolute."""

    functions: Mapping[str, Function]
    routes: Mapping[str, str] = field(default_factory=dict)
    """API Gateway route key ("POST /slack/events") to function name."""
    schedules: tuple[tuple[str, int], ...] = ()
    """(function name, seconds between two calls)."""
    execution_events: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(function name, execution statuses it is told of)."""
    service_events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(function name, the pattern of the events of ECS or CodeDeploy that it is told of)."""
    definition_path: Path | None = None
    substitutions: Mapping[str, str] = field(default_factory=dict)
    layer_dirs: tuple[Path, ...] = ()

    def definition(self) -> str:
        """The state machine's text with its `${...}` filled in; a name without a value is an error, as in
        SAM.
        """
        if self.definition_path is None:
            raise TemplateError("the template has no state machine with a DefinitionUri")
        text = self.definition_path.read_text(encoding="utf-8")
        missing = sorted(set(re.findall(r"\$\{(\w+)\}", text)) - set(self.substitutions))
        if missing:
            raise TemplateError(f"{self.definition_path.name}: no DefinitionSubstitutions for {', '.join(missing)}")
        return re.sub(r"\$\{(\w+)\}", lambda found: self.substitutions[found[1]], text)


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def load_template(
    path: str | Path, parameters: Mapping[str, str] | None = None, facts: Mapping[str, str] | None = None
) -> Template:
    """Read a SAM template.

    `parameters` overrides the template's defaults. `facts` says what a resource is here: the key is what
    stands in `!Ref`/`!GetAtt` ("Table", "Table.Arn", "AWS::StackName"), the value what it gives. Functions
    know their local names and ARNs by themselves; version and alias references give the plain ARN, as local
    engines know no versions. Raises TemplateError, which names the place, for whatever it does not
    understand.
    """
    path = Path(path).resolve()
    try:
        document = load_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TemplateError(f"{path.name}: {error}") from error
    resources = cast("dict[str, Any]", document.get("Resources") or {})
    names = {key: _local_name(key, body) for key, body in _of_type(resources, FUNCTION_TYPE)}
    resolver = Resolver(document, parameters or {}, {**_known(names), **(facts or {})})
    reader = _Reader(path.parent, document, resolver, names)
    return reader.read(resources)


def _of_type(resources: Mapping[str, Any], wanted: str) -> list[tuple[str, Any]]:
    return [(key, body) for key, body in resources.items() if body.get("Type") == wanted]


def _local_name(key: str, body: Mapping[str, Any]) -> str:
    uri = (body.get("Properties") or {}).get("CodeUri")
    if not isinstance(uri, str):
        raise TemplateError(f"Resources.{key}.Properties.CodeUri: expected the folder of the function")
    return Path(uri).name


def _known(names: Mapping[str, str]) -> dict[str, str]:
    facts = {
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::StackName": "chatops-local",
        "AWS::URLSuffix": "amazonaws.com",
    }
    for key, name in names.items():
        arn = function_arn(name)
        facts |= {key: name, f"{key}.Arn": arn, f"{key}.Version": arn, f"{key}.Alias": arn}
    return facts


class _Reader:
    def __init__(self, root: Path, document: Mapping[str, Any], resolver: Resolver, names: Mapping[str, str]) -> None:
        self.root, self.document, self.resolver, self.names = root, document, resolver, names
        self.globals = cast("dict[str, Any]", (document.get("Globals") or {}).get("Function") or {})
        self.routes: dict[str, str] = {}
        self.schedules: list[tuple[str, int]] = []
        self.execution_events: list[tuple[str, tuple[str, ...]]] = []
        self.service_events: list[tuple[str, Mapping[str, Any]]] = []

    def read(self, resources: Mapping[str, Any]) -> Template:
        functions: dict[str, Function] = {}
        layers: list[Path] = []
        definition: Path | None = None
        substitutions: dict[str, str] = {}
        for key, body in resources.items():
            if not self.resolver.exists(body, f"Resources.{key}"):
                continue
            properties, place = body.get("Properties") or {}, f"Resources.{key}.Properties"
            if body.get("Type") == FUNCTION_TYPE:
                function = self._function(self.names[key], properties, place)
                functions[function.name] = function
                self._events(function.name, properties.get("Events") or {}, f"{place}.Events")
            elif body.get("Type") == LAYER_TYPE:
                layers.append(self.root / self.resolver.text(properties.get("ContentUri"), f"{place}.ContentUri"))
            elif body.get("Type") == MACHINE_TYPE and "DefinitionUri" in properties:
                definition = self.root / self.resolver.text(properties["DefinitionUri"], f"{place}.DefinitionUri")
                given = properties.get("DefinitionSubstitutions") or {}
                where = f"{place}.DefinitionSubstitutions"
                substitutions = {name: self.resolver.text(value, f"{where}.{name}") for name, value in given.items()}
        return Template(
            functions=functions,
            routes=self.routes,
            schedules=tuple(self.schedules),
            execution_events=tuple(self.execution_events),
            service_events=tuple(self.service_events),
            definition_path=definition,
            substitutions=substitutions,
            layer_dirs=tuple(layers),
        )

    def _function(self, name: str, properties: Mapping[str, Any], place: str) -> Function:
        def setting(key: str, default: object) -> Any:
            return self.resolver.value(properties.get(key, self.globals.get(key, default)), f"{place}.{key}")

        shared = (self.globals.get("Environment") or {}).get("Variables") or {}
        own = (properties.get("Environment") or {}).get("Variables") or {}
        environment = {}
        for where, variables in (("Globals.Function", shared), (place, own)):
            for key, value in variables.items():
                resolved = self.resolver.text(value, f"{where}.Environment.Variables.{key}")
                environment[key] = resolved
        return Function(
            name=name,
            code_dir=self.root / self.resolver.text(properties["CodeUri"], f"{place}.CodeUri"),
            handler=str(setting("Handler", "app.handler")),
            environment=environment,
            timeout_seconds=int(setting("Timeout", 3)),
            memory_mb=int(setting("MemorySize", 128)),
        )

    def _events(self, name: str, events: Mapping[str, Any], place: str) -> None:
        for key, event in events.items():
            kind, where = event.get("Type"), f"{place}.{key}"
            properties = event.get("Properties") or {}
            if kind == "HttpApi":
                method = self.resolver.text(properties.get("Method"), f"{where}.Method").upper()
                self.routes[f"{method} {self.resolver.text(properties.get('Path'), f'{where}.Path')}"] = name
            elif kind in ("Schedule", "ScheduleV2"):
                given = properties.get("Schedule", properties.get("ScheduleExpression"))
                self.schedules.append((name, _rate(self.resolver.text(given, where), where)))
            elif kind in ("EventBridgeRule", "CloudWatchEvent"):
                self._rule(name, self.resolver.value(properties.get("Pattern"), f"{where}.Pattern"), where)
            else:
                raise TemplateError(f"{where}: the local run knows no event of type {kind!r}")

    def _rule(self, name: str, pattern: Any, place: str) -> None:
        if isinstance(pattern, dict) and pattern.get("source") in SERVICES:
            self.service_events.append((name, pattern))
            return
        if isinstance(pattern, dict) and pattern.get("source") == OWN:
            return  # the bot's own, which only hasten what `sweep` does
        if not isinstance(pattern, dict) or pattern.get("detail-type") != [STATUS_CHANGE]:
            raise TemplateError(
                f"{place}: the local run sends only {STATUS_CHANGE!r} events, and those of ECS and CodeDeploy"
            )
        statuses = (pattern.get("detail") or {}).get("status") or [
            "RUNNING",
            "SUCCEEDED",
            "FAILED",
            "TIMED_OUT",
            "ABORTED",
        ]
        self.execution_events.append((name, tuple(str(status) for status in statuses)))


def _rate(expression: str, place: str) -> int:
    """Seconds of "rate(5 minutes)"."""
    found = RATE.match(expression)
    if not found:
        raise TemplateError(f"{place}: the local run understands rate(N minutes|hours|days), not {expression!r}")
    return int(found[1]) * RATE_SECONDS[found[2]]
