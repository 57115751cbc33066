"""What DynamoDB promises of writes that happen at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from local.engine.patches import Patches, Settings

_OPERATIONS = ("transact_write_items", "put_item", "update_item", "delete_item", "get_item", "query", "scan")


def writes_are_serializable(patches: Patches, _: Settings) -> None:
    """AWS: transactions and single writes are serializable, and a transaction that fails changes nothing.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html

    moto: a transaction that fails puts back a copy of the whole table from before it began, and so takes away what
    others wrote meanwhile; conditions are checked and items written with nothing in between to keep others out.
    """
    from moto.dynamodb.models import DynamoDBBackend

    # moto's transaction calls the other operations itself
    lock = threading.RLock()

    def alone(operation: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(operation)
        def guarded(*arguments: Any, **named: Any) -> Any:
            with lock:
                return operation(*arguments, **named)

        return guarded

    for name in _OPERATIONS:
        patches.replace(DynamoDBBackend, name, alone(getattr(DynamoDBBackend, name)))
