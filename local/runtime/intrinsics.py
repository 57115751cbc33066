"""CloudFormation's intrinsic functions, as far as this template needs them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
A function that is not understood is an error with its place, never a silent empty string.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

NO_VALUE = object()
"""What `!Ref AWS::NoValue` stands for: the property is as if it were not written."""

SUBSTITUTION = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(ValueError):
    """The template says something that the local run cannot follow; the message names the place."""


_Base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, in every wheel of PyYAML


class _Loader(_Base):  # type: ignore[misc] # which one is known when it is imported
    """YAML with CloudFormation's short forms: `!Sub x` reads as {"Fn::Sub": "x"}."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    key = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TemplateError(f"!{suffix}: a kind of YAML value that is not understood")
    return {key: value}


_Loader.add_multi_constructor("!", _short_form)


def load_yaml(text: str) -> dict[str, Any]:
    """A template's text as plain data, the short forms written out."""
    document = copy.deepcopy(_parsed(text))
    if not isinstance(document, dict):
        raise TemplateError("the template is not a mapping")
    return document


@lru_cache(maxsize=4)  # one session after another reads the same template
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader with the short forms added


class Resolver:
    """Gives the value behind Ref, Sub, GetAtt, Join, Select, Split, If and the conditions."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str], facts: Mapping[str, str]) -> None:
        self._facts = facts
        self._conditions: Mapping[str, Any] = document.get("Conditions") or {}
        declared: Mapping[str, Any] = document.get("Parameters") or {}
        unknown = sorted(set(parameters) - set(declared))
        if unknown:
            raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
        defaults = {name: str(body["Default"]) for name, body in declared.items() if "Default" in body}
        self._parameters: Mapping[str, str] = {**defaults, **parameters}
        self._declared = declared

    def exists(self, resource: Mapping[str, Any], place: str) -> bool:
        """Whether the resource's Condition holds (none: it does)."""
        return "Condition" not in resource or self._condition(resource["Condition"], place)

    def text(self, node: Any, place: str) -> str:
        """The value as a string; anything else is an error. Booleans become CloudFormation's true and
        false.
        """
        value = self.value(node, place)
        if value is NO_VALUE or value is None or isinstance(value, dict | list):
            raise TemplateError(f"{place}: expected a string")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def value(self, node: Any, place: str) -> Any:
        """`node` with every intrinsic in it replaced by its value."""
        if isinstance(node, list):
            values = (self.value(item, f"{place}[{index}]") for index, item in enumerate(node))
            return [value for value in values if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), *_ = node.items()
            if name in ("Ref", "Condition") or str(name).startswith("Fn::"):
                return self._intrinsic(str(name), argument, place)
        pairs = ((key, self.value(item, f"{place}.{key}")) for key, item in node.items())
        return {key: value for key, value in pairs if value is not NO_VALUE}

    def _intrinsic(self, name: str, argument: Any, place: str) -> Any:
        if name == "Ref":
            return self._ref(str(argument), place)
        if name == "Fn::GetAtt":
            parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
            return self._fact(".".join(map(str, parts)), place)
        if name == "Fn::Sub":
            return self._sub(argument, place)
        if name == "Fn::Join":
            return str(argument[0]).join(str(item) for item in self.value(argument[1], place))
        if name == "Fn::Split":
            return self.text(argument[1], place).split(str(argument[0]))
        if name == "Fn::Select":
            return self.value(argument[1], place)[int(argument[0])]
        if name == "Fn::If":
            condition, then, otherwise = argument
            return self.value(then if self._condition(condition, place) else otherwise, place)
        if name in ("Condition", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"):
            return self._test(name, argument, place)
        raise TemplateError(f"{place}: the local run does not know {name.replace('Fn::', '!')}")

    def _ref(self, name: str, place: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._declared:
            if name not in self._parameters:
                raise TemplateError(f"{place}: the parameter {name} has no default and no value")
            value = self._parameters[name]
            kind = str(self._declared[name].get("Type", "String"))
            return value.split(",") if kind in ("CommaDelimitedList", "List<Number>") else value
        return self._fact(name, place)

    def _fact(self, name: str, place: str) -> str:
        if name not in self._facts:
            raise TemplateError(f"{place}: nothing here says what {name} is")
        return self._facts[name]

    def _sub(self, argument: Any, place: str) -> str:
        pattern, given = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})

        def replace(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return "${" + name + "}"
            if name in given:
                return self.text(given[name], place)
            return self.text({"Ref": name}, place)

        return SUBSTITUTION.sub(replace, str(pattern))

    def _condition(self, condition: Any, place: str) -> bool:
        if isinstance(condition, str):
            if condition not in self._conditions:
                raise TemplateError(f"{place}: there is no condition {condition}")
            return bool(self.value(self._conditions[condition], f"Conditions.{condition}"))
        return bool(self.value(condition, place))

    def _test(self, name: str, argument: Any, place: str) -> bool:
        if name == "Condition":
            return self._condition(str(argument), place)
        if name == "Fn::Equals":
            left, right = (self.text(item, place) for item in argument)
            return left == right
        results = [self._condition(item, place) for item in argument]
        if name == "Fn::Not":
            return not results[0]
        return all(results) if name == "Fn::And" else any(results)
