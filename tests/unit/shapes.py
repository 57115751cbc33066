"""What is written: the attributes of every kind of row and their types, and a plan's and an input's fields.

`python -m tests.unit.shapes` (PYTHONPATH as the Makefile sets it) writes the record anew, for a new SCHEMA.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chatops.domain.codec import SCHEMA

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
RECORD = SAMPLES / f"schema-{SCHEMA}" / "shapes.json"
Shape = dict[str, str]
Shapes = dict[str, Shape]


def kind(item: Mapping[str, Any]) -> str:
    """`RECORD`, `STAGE`, `OPEN`, …: what the row is, without whose."""
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    return str(pk if pk in ("OPEN", "OUTBOX", "NEWS", "SWEEP") else sk.partition("#")[0])


def _json(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), "null")


class Watched:
    """A DynamoDB client that notes what every write leaves behind."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.seen: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def note(self, kind: str, fields: Mapping[str, str]) -> None:
        for name, type_ in fields.items():
            self.seen[kind][name].add(type_)

    def facts(self, kind: str, found: Mapping[str, Any]) -> None:
        """A plan or an input, as JSON."""
        self.note(kind, {name: _json(value) for name, value in found.items()})

    def _look(self, table: str, key: Any) -> None:
        item = self._client.get_item(TableName=table, Key={n: key[n] for n in ("pk", "sk")}).get("Item")
        if item:
            self.note(kind(item), {name: next(iter(value)) for name, value in item.items()})

    def transact_write_items(self, **arguments: Any) -> Any:
        made = self._client.transact_write_items(**arguments)
        for member in arguments["TransactItems"]:
            for done in member.values():
                self._look(done["TableName"], done.get("Key") or done["Item"])
        return made

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in ("put_item", "update_item"):
            return found

        def watched(**arguments: Any) -> Any:
            made = found(**arguments)
            self._look(arguments["TableName"], arguments.get("Key") or arguments["Item"])
            return made

        return watched

    def shapes(self) -> Shapes:
        return {k: {n: "|".join(sorted(t)) for n, t in sorted(v.items())} for k, v in sorted(self.seen.items())}


def recorded() -> Shapes:
    found: Shapes = json.loads(RECORD.read_text("utf-8"))
    return found


if __name__ == "__main__":
    import os
    import sys

    import pytest

    os.environ["WRITE_SHAPES"] = "1"
    sys.exit(pytest.main(["-q", str(Path(__file__).with_name("test_schema_shapes.py"))]))
