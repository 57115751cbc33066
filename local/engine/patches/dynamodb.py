"""What DynamoDB promises of writes that happen at once, and what they cost."""

from __future__ import annotations

import copy
import threading
from collections import defaultdict
from typing import Any

from local.engine.patches.patcher import Patches, Settings


def writes_are_serializable(patches: Patches, _: Settings) -> None:
    """AWS: transactions and single writes are serializable, and a transaction that fails changes nothing.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html

    moto: a transaction that fails puts back a copy of the whole table from before it began, and so takes away what
    others wrote meanwhile; conditions are checked and items written with nothing in between to keep others out; and an
    answer is made of the stored item itself, which others may change while it is read. So each request has it alone.
    """
    from moto.dynamodb.responses import DynamoHandler

    lock = threading.RLock()
    call_action = DynamoHandler.call_action

    def alone(self: Any) -> Any:
        with lock:
            return call_action(self)

    patches.replace(DynamoHandler, "call_action", alone)


def transactions_copy_what_they_touch(patches: Patches, _: Settings) -> None:
    """AWS: what a transaction costs does not depend on what else is in the table.

    moto: copies the whole table before each transaction, in case it fails: 50 ms of computing for a thousand rows,
    while everything else waits. What is put back is the same when only the partitions are copied that it names.
    """
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.dynamo_type import DynamoType
    from moto.dynamodb.models.table import Table

    now = threading.local()
    transact = DynamoDBBackend.transact_write_items

    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
        now.items = transact_items
        try:
            transact(self, transact_items)
        finally:
            now.items = None

    def deep_copy(self: Any, memo: dict[int, Any]) -> Any:
        made = copy.copy(self)
        if getattr(now, "items", None) is None:
            made.__dict__ = {name: copy.deepcopy(value, memo) for name, value in self.__dict__.items()}
            return made
        members = [member for item in now.items for member in item.values()]
        named = [(member.get("Key") or member.get("Item") or {}).get(self.hash_key_attr) for member in members]
        touched = {DynamoType(value) for value in named if value is not None}
        made.items = defaultdict(dict, self.items)
        made.items.update({key: copy.deepcopy(self.items[key], memo) for key in touched if key in self.items})
        return made

    patches.replace(DynamoDBBackend, "transact_write_items", transact_write_items)
    patches.replace(Table, "__deepcopy__", deep_copy)
