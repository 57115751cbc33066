"""A workflow file, read without trusting it, with the line of everything.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same in C, where PyYAML was built with it: a tenth of the time."""

MOST = 512 * 1024
"""Characters of a file that is looked at: GitHub's own limit for a workflow file."""


class Unreadable(Exception):
    """The file is no workflow; `line` says where."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True)
class Part:
    """A value of the file. Nothing of it is constructed: names and texts are what is written."""

    node: yaml.Node
    key: yaml.Node | None = None

    @property
    def line(self) -> int:
        """Where it begins, with its name if it has one; from 1 on."""
        return int((self.key or self.node).start_mark.line) + 1

    @property
    def text(self) -> str:
        """A single value as it is written; empty for a list or a mapping."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else ""

    @property
    def fields(self) -> dict[str, Part]:
        """A mapping's values by name; empty for everything else."""
        if not isinstance(self.node, yaml.MappingNode):
            return {}
        return {str(key.value): Part(value, key) for key, value in self.node.value if isinstance(key, yaml.ScalarNode)}

    @property
    def items(self) -> list[Part]:
        """A list's members; a single value is a list of one, as GitHub reads it."""
        if isinstance(self.node, yaml.SequenceNode):
            return [Part(value) for value in self.node.value]
        return [self] if self.text else []

    def at(self, *names: str) -> Part | None:
        """The value below these names, or None."""
        found: Part | None = self
        for name in names:
            found = found.fields.get(name) if found is not None else None
        return found

    def said(self, *names: str) -> str:
        """That value's text; empty where there is none."""
        found = self.at(*names)
        return found.text if found is not None else ""


@dataclass(frozen=True)
class Workflow:
    """A file at a path of a repository's branch."""

    path: str
    root: Part

    @property
    def trigger(self) -> Part | None:
        """`on.repository_dispatch`; None where the file does not listen to such events."""
        on = self.root.at("on")
        if on is None:
            return None
        if "repository_dispatch" in on.fields:
            return on.fields["repository_dispatch"]
        return next((event for event in on.items if event.text == "repository_dispatch"), None)

    @property
    def types(self) -> list[Part] | None:
        """Event types that it listens to; None: all of them."""
        trigger = self.trigger
        types = trigger.at("types") if trigger is not None else None
        return None if types is None else types.items

    def listens(self, event_type: str) -> bool:
        """Whether an event of this type starts it."""
        types = self.types
        return self.trigger is not None and (types is None or event_type in [part.text for part in types])

    @property
    def jobs(self) -> dict[str, Part]:
        """Its jobs by id."""
        found = self.root.at("jobs")
        return found.fields if found is not None else {}


def read(path: str, text: str) -> Workflow:
    """The file. Raises Unreadable."""
    if len(text) > MOST:
        raise Unreadable(1, f"it is longer than {MOST // 1024} KB")
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, str(error.problem or "it is no YAML")) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(1, f"it is no YAML ({type(error).__name__})") from None
    if not isinstance(root, yaml.MappingNode):
        raise Unreadable(1, "it holds no workflow")
    return Workflow(path, Part(root))


def uses(part: Part) -> Iterator[Part]:
    """Every action and reusable workflow that the jobs name."""
    for job in part.fields.values():
        for place in (job, *(job.at("steps") or _NOTHING).items):
            if (found := place.at("uses")) is not None:
                yield found


_NOTHING = Part(yaml.SequenceNode("tag:yaml.org,2002:seq", []))


def steps(job: Part) -> list[Part]:
    """A job's steps in their order."""
    return (job.at("steps") or _NOTHING).items
