"""A YAML file's values with their places, so that an error can name the file, the line and the field."""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.reason import Reason
from chatops.settings.config import Faults

if TYPE_CHECKING:
    from chatops.domain.reason import Value
    from chatops.domain.text_keys import TextKey

_MOST_BYTES = 1_000_000
_DIGITS = re.compile(r"[1-9][0-9]{0,8}")
_MERGE, _TEXT, _NUMBER = (f"tag:yaml.org,2002:{kind}" for kind in ("merge", "str", "int"))
_READS: dict[str, TextKey] = {
    _NUMBER: "reads_number",
    "tag:yaml.org,2002:float": "reads_number",
    "tag:yaml.org,2002:bool": "reads_boolean",
    "tag:yaml.org,2002:timestamp": "reads_date",
    "tag:yaml.org,2002:null": "reads_nothing",
}
"""What YAML takes a value for that stands without quotes."""


class Where:
    """A place in the file, for error messages. All places of a file share `faults`, which gathers what is wrong."""

    def __init__(self, file: str, node: yaml.Node, path: str, faults: Faults) -> None:
        self.file, self.node, self.path, self.faults = file, node, path, faults

    def _at(self, node: yaml.Node, path: str) -> Where:
        return Where(self.file, node, path, self.faults)

    def error(self, problem: TextKey, node: yaml.Node | None = None, **values: Value) -> InvalidConfiguration:
        """`problem` and `values`: a text of the catalogues."""
        line = (node or self.node).start_mark.line + 1
        return at_line(self.file, line, self.path, Reason(problem, **values))

    def wanted(self, what: TextKey, node: yaml.Node | None = None) -> InvalidConfiguration:
        """It should hold something else; `what`: a key of the catalogues. The error shows what is there
        as it is written."""
        found = node or self.node
        if not isinstance(found, yaml.ScalarNode):
            return self.error("at_hold", node, what=Reason(what))
        return self.error("at_hold_not", node, what=Reason(what), found=repr(str(found.value)[:80]))

    def fields(self, allowed: Collection[str], inner: Mapping[str, str] | None = None) -> dict[str, Where]:
        """The fields by name (`allowed` empty: any), those of a merge key (`<<: *base`) included. Unknown and repeated
        fields are noted and left out.

        `inner`: names that belong deeper, each with where it does, for those who write them here.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error("at_names_and_values")
        found: dict[str, Where] = {}
        merged: dict[str, Where] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error("at_key", key)
            if key.tag == _MERGE:
                merged |= {n: w for n, w in self._merged(key, value, allowed).items() if n not in merged}
                continue
            name = str(key.value)
            if allowed and name not in allowed:
                self.faults.note(self._unknown(name, key, allowed, inner or {}))
                continue
            if name in found:
                self.faults.note(self.error("at_twice", key, found=repr(name[:80])))
                continue
            found[name] = self._at(value, f"{self.path}.{name[:80]}" if self.path else name[:80])
        return merged | found

    def _merged(self, key: yaml.Node, node: yaml.Node, allowed: Collection[str]) -> dict[str, Where]:
        """https://yaml.org/type/merge.html: of several, the first that has a field counts."""
        several = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if any(one.start_mark.index <= self.node.start_mark.index <= one.end_mark.index for one in several):
            raise self.error("at_itself", key)
        found: dict[str, Where] = {}
        for one in reversed(several):
            found |= self._at(one, self.path).fields(allowed)
        return found

    def _unknown(
        self, name: str, key: yaml.Node, allowed: Collection[str], inner: Mapping[str, str]
    ) -> InvalidConfiguration:
        said = {"found": repr(name[:80]), "known": ", ".join(sorted(allowed))}
        if meant := difflib.get_close_matches(name, [*allowed, *inner], n=1):
            return self.error("at_unknown_meant", key, meant=inner.get(meant[0], meant[0]), **said)
        return self.error("at_unknown_field", key, **said)

    def value(self, kind: type, what: TextKey) -> Any:
        try:
            loaded = yaml.SafeLoader("").construct_object(self.node, deep=True)
        except (yaml.YAMLError, ValueError, LookupError, OverflowError):
            # a tag that is none of YAML's own, a date or a number that cannot be
            raise self.wanted(what) from None
        if not isinstance(loaded, kind) or (kind is int and isinstance(loaded, bool)):
            raise self.wanted(what)
        return loaded

    def members(self, what: TextKey = "what_slack_ids") -> list[tuple[Any, yaml.Node]]:
        """A list's members, each with its own place."""
        return [(place.raw(), place.node) for place in self.items(what)]

    def items(self, what: TextKey) -> list[Where]:
        """A list's members, each a place of its own."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wanted(what)
        return [self._at(node, f"{self.path}[{n}]") for n, node in enumerate(self.node.value)]

    def raw(self) -> str:
        """A single value as it is written, whatever YAML would make of it."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wanted("what_single")
        return str(self.node.value).strip()

    def text(self, pattern: re.Pattern[str] | None = None, what: TextKey = "what_text") -> str:
        """A text, which should match the pattern. What YAML reads as something else (0123, on, 2026-01-31) is none: who
        wrote it may see another value than the one that would count."""
        found = self.raw()
        if self.node.tag != _TEXT and found and self.node.tag in _READS and (not pattern or pattern.fullmatch(found)):
            raise self.error(
                "at_hold_quoted", what=Reason(what), found=repr(found[:80]), read=Reason(_READS[self.node.tag])
            )
        if self.node.tag != _TEXT or not found or (pattern and not pattern.fullmatch(found)):
            raise self.wanted(what)
        return found

    def number(self, most: int, what: TextKey) -> int:
        """A whole number from 1 on, in plain decimal digits: YAML reads 010 as 8, and 1:30 as 90."""
        found = self.raw()
        if self.node.tag != _NUMBER or not _DIGITS.fullmatch(found):
            raise self.wanted(what)
        if not 1 <= int(found) <= most:
            raise self.wanted(what)
        return int(found)

    def seconds(self) -> int:
        return self.number(86_400, "what_seconds")


def at_line(file: str, line: int, path: str, problem: Reason) -> InvalidConfiguration:
    """An error at this line; `path` "": in the file as a whole."""
    return InvalidConfiguration("file_line", file=file, line=line, place=path or Reason("file_whole"), problem=problem)


def _bytes(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            why: TextKey = "is_folder" if path.is_dir() else "is_special"
            raise InvalidConfiguration("file_unreadable", file=path.name, path=str(path), said=Reason(why))
        found = path.read_bytes()
    except OSError as error:
        said: Value = error.strerror or type(error).__name__
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            said = Reason("is_missing")
        elif isinstance(error, PermissionError):
            said = Reason("is_closed")
        raise InvalidConfiguration("file_unreadable", file=path.name, path=str(path), said=said) from None
    if len(found) > _MOST_BYTES:
        raise InvalidConfiguration("file_unreadable", file=path.name, path=str(path), said=Reason("is_long"))
    return found


def composed(path: Path) -> yaml.Node | None:
    """The file's nodes; None for an empty one. Raises InvalidConfiguration with file and line."""
    raw = _bytes(path)
    try:
        return yaml.compose(raw, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = raw[: error.position].count(b"\n") + 1
        raise at_line(path.name, line, "", Reason("at_no_text")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context or "")
        known = next((key for part, key in _PROBLEMS.items() if part in problem), None)
        said = Reason(known) if known else Reason("at_no_yaml", said=problem)
        raise at_line(path.name, mark.line + 1 if mark else 1, "", said) from None
    except RecursionError:
        raise at_line(path.name, 1, "", Reason("at_deep")) from None


_PROBLEMS: dict[str, TextKey] = {"'\\t'": "at_tab", "but found another document": "at_documents"}
