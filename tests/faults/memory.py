"""The stack's table in memory, one call at a time, which can be brought back to an earlier moment.

`tests/simulator/test_table.py` holds it to moto's DynamoDB, whose answers take twenty times the processor time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chatops.store.attributes import decode
from tests.simulator.expressions import Item
from tests.simulator.table import Client, Key, Table

Kept = dict[Key, Item]
"""Items are never changed in place, so a moment needs no deep copy."""


class Memory(Table):
    """`client` is boto3's of it; calls from several threads come one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._one = threading.Lock()
        self.client = Client(self, self._call)

    def _call(self, _name: str, work: Callable[[], Any], _about: object) -> Any:
        with self._one:
            return work()

    def kept(self) -> Kept:
        """This moment."""
        return dict(self.items)

    def bring_back(self, kept: Kept) -> None:
        """That moment."""
        self.items, self._under = dict(kept), {}
        for key in kept:
            self._under.setdefault(key[0], set()).add(key)

    def rows(self) -> list[dict[str, Any]]:
        """Every item, as plain values."""
        return [decode(item) for item in self.items.values()]
