"""The table in memory: DynamoDB's operations that `chatops.store` calls, with their conditions and transactions.

Items are kept as they were sent, in DynamoDB's typed form. `test_table.py` holds it to moto's DynamoDB.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulator.errors import EXCEPTIONS, refused
from tests.simulator.expressions import Given, Item, condition, update

Key = tuple[str, str]
Write = tuple[Key, Item | None, Item | None]
"""An item's key, the item as it was, and as it will be."""


def key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _given(asked: dict[str, Any]) -> Given:
    return Given(asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {}))


class Table:
    """The items by key."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self._under: dict[str, set[Key]] = {}

    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.items.get(key(asked["Key"]))
        return {"Item": found} if found else {}

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        given, text = _given(asked), asked["KeyConditionExpression"]
        pk = given.values[":pk"]["S"]
        assert text in ("pk = :pk", "pk = :pk AND begins_with(sk, :sk)"), f"not understood: {text}"
        start = given.values.get(":sk", {"S": ""})["S"]
        after = key(asked["ExclusiveStartKey"]) if "ExclusiveStartKey" in asked else None
        keys = sorted((k for k in self._under.get(pk, ()) if k[1].startswith(start)), key=lambda k: k[1].encode())
        if not asked["ScanIndexForward"]:
            keys.reverse()
        if after in keys:
            keys = keys[keys.index(after) + 1 :]
        page = keys[: asked["Limit"]]
        found: dict[str, Any] = {"Items": [self.items[k] for k in page]}
        if len(page) == asked["Limit"]:  # as on AWS, also where nothing comes after it
            found["LastEvaluatedKey"] = {"pk": {"S": page[-1][0]}, "sk": {"S": page[-1][1]}}
        return found

    def count(self, pk: str) -> int:
        """How many items stand under it."""
        return len(self._under.get(pk, ()))

    def put(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._single(asked, self._put(asked), "PutItem")

    def delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._single(asked, self._delete(asked), "DeleteItem")

    def update(self, asked: dict[str, Any]) -> dict[str, Any]:
        write = self._update(asked)
        self._single(asked, write, "UpdateItem")
        return {"Attributes": write[2]}

    def transact(self, asked: dict[str, Any]) -> dict[str, Any]:
        """All or nothing. Raises TransactionCanceledException with a reason for each member."""
        members = [pair for member in asked["TransactItems"] for pair in member.items()]
        writes = [_WRITES[kind](self, arguments) for kind, arguments in members]
        keys = [write[0] for write in writes]
        assert len(set(keys)) == len(keys), "a transaction names an item once"
        held = [self.holds(arguments, write) for (_, arguments), write in zip(members, writes, strict=True)]
        if not all(held):
            reasons = [{"Code": "None" if ok else "ConditionalCheckFailed"} for ok in held]
            raise refused("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        for write in writes:
            self._apply(write)
        return {}

    def _single(self, asked: dict[str, Any], write: Write, operation: str) -> dict[str, Any]:
        if not self.holds(asked, write):
            more = {"Item": write[1]} if write[1] and "ReturnValuesOnConditionCheckFailure" in asked else {}
            raise refused("ConditionalCheckFailedException", operation, **more)
        self._apply(write)
        return {}

    def holds(self, asked: dict[str, Any], write: Write) -> bool:
        """Whether the condition of a write holds."""
        text = asked.get("ConditionExpression")
        return not text or condition(text)(write[1] or {}, _given(asked))

    def _apply(self, write: Write) -> None:
        at, _, new = write
        if new is None:
            self.items.pop(at, None)
            self._under.get(at[0], set()).discard(at)
        else:
            self.items[at] = new
            self._under.setdefault(at[0], set()).add(at)

    def _put(self, asked: dict[str, Any]) -> Write:
        at = key(asked["Item"])
        return at, self.items.get(at), asked["Item"]

    def _delete(self, asked: dict[str, Any]) -> Write:
        at = key(asked["Key"])
        return at, self.items.get(at), None

    def _check(self, asked: dict[str, Any]) -> Write:
        at = key(asked["Key"])
        return at, self.items.get(at), self.items.get(at)

    def _update(self, asked: dict[str, Any]) -> Write:
        at = key(asked["Key"])
        old = self.items.get(at)
        new = {**(old or asked["Key"])}
        update(asked["UpdateExpression"])(old or {}, new, _given(asked))
        return at, old, new


_WRITES: dict[str, Callable[[Table, dict[str, Any]], Write]] = {
    "Put": Table._put,
    "Update": Table._update,
    "Delete": Table._delete,
    "ConditionCheck": Table._check,
}


class Client:
    """boto3's client of it, as far as the product uses it; `calls` stands between."""

    exceptions = EXCEPTIONS

    def __init__(self, table: Table, calls: Callable[..., Any]) -> None:
        self._table, self._calls = table, calls

    def get_item(self, **asked: Any) -> Any:
        return self._calls("DynamoDB.GetItem", lambda: self._table.get(asked), asked["Key"])

    def query(self, **asked: Any) -> Any:
        return self._calls("DynamoDB.Query", lambda: self._table.query(asked), asked["ExpressionAttributeValues"])

    def put_item(self, **asked: Any) -> Any:
        return self._calls("DynamoDB.PutItem", lambda: self._table.put(asked), asked["Item"])

    def delete_item(self, **asked: Any) -> Any:
        return self._calls("DynamoDB.DeleteItem", lambda: self._table.delete(asked), asked["Key"])

    def update_item(self, **asked: Any) -> Any:
        return self._calls("DynamoDB.UpdateItem", lambda: self._table.update(asked), asked["Key"])

    def transact_write_items(self, **asked: Any) -> Any:
        """boto3 gives each request a token of its own, with which DynamoDB knows it again when it is sent again.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        done: list[Any] = []

        def once() -> Any:
            if not done:
                done.append(self._table.transact(asked))
            return done[0]

        return self._calls("DynamoDB.TransactWriteItems", once, "")
