"""The DynamoDB table, in plain dicts. A condition that fails raises `Conflict`; other trouble is `aws.failures()`."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chatops import aws
from chatops.domain import codec
from chatops.domain.codec import SCHEMA
from chatops.domain.errors import ChatOpsError, UnknownSchema
from chatops.network import deadline
from chatops.settings.config import settings
from chatops.store.attributes import decode, encode

Item = dict[str, Any]
_NAME = re.compile(r"#(\w+)")
_TRIES = 4  # of a transaction that meets others: short, since the Slack edge uses it too


class Conflict(ChatOpsError):
    """A condition did not hold. `old` is the item that stood in the way (of a single write), `failed` the indexes of
    the transaction's members whose conditions failed."""

    def __init__(self, old: Item | None = None, failed: tuple[int, ...] = ()) -> None:
        super().__init__("the condition of a write did not hold")
        self.old, self.failed = old, failed


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _expression(**expressions: str) -> Item:
    """The expressions that are not empty, with `ExpressionAttributeNames` for every `#name` in them."""
    given = {k: v for k, v in expressions.items() if v}
    found = {f"#{n}": n for e in given.values() for n in _NAME.findall(e)}
    return {**given, **({"ExpressionAttributeNames": found} if found else {})}


def _values(values: Mapping[str, Any] | None) -> Item:
    return {"ExpressionAttributeValues": encode({f":{k}": v for k, v in values.items()})} if values else {}


class Table:
    """The table. `patience` below 1 is for callers that must answer within seconds."""

    def __init__(self, name: str, client: Any) -> None:
        self.name, self._client = name, client

    def get(self, pk: str, sk: str) -> Item | None:
        """The item, read consistently, or None."""
        found = self._client.get_item(TableName=self.name, Key=_key(pk, sk), ConsistentRead=True).get("Item")
        return codec.row(decode(found)) if found else None

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        newest_first: bool = False,
        limit: int = 1000,
        unknown: Callable[[UnknownSchema], object] | None = None,
    ) -> list[Item]:
        """The items under `pk` whose sk begins with `prefix`, in the order of sk, at most `limit`. One that cannot be
        read is left out where `unknown` takes the error, else raised."""
        found = []
        for item in self._query(pk, prefix, newest_first, limit):
            try:
                found.append(codec.row(item))
            except UnknownSchema as error:
                if unknown is None:
                    raise
                unknown(error)
        return found

    def _query(self, pk: str, prefix: str, newest_first: bool, limit: int) -> Iterator[Item]:
        condition, values = "pk = :pk", {"pk": pk}
        if prefix:
            condition, values = "pk = :pk AND begins_with(sk, :sk)", {"pk": pk, "sk": prefix}
        arguments = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
            **_values(values),
        }
        while limit > 0:
            page = self._client.query(**arguments, Limit=min(limit, 1000))
            for item in page["Items"]:
                yield decode(item)
            limit -= len(page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, item: Item, when: str = "", values: Mapping[str, Any] | None = None) -> None:
        """Write the whole item if `when` holds."""
        self._write(self._client.put_item, TableName=self.name, **put(item, when, values))

    def put_once(self, item: Item) -> Item:
        """Write the whole item unless there is one; the one that stands."""
        try:
            self.put(item, "attribute_not_exists(#pk)")
        except Conflict as conflict:
            if conflict.old is None:
                raise
            return conflict.old
        return item

    def update(self, pk: str, sk: str, change: str, when: str = "", values: Mapping[str, Any] | None = None) -> Item:
        """Change the item if `when` holds and return it as it is now."""
        made = update(pk, sk, change, when, values)
        found = self._write(self._client.update_item, TableName=self.name, ReturnValues="ALL_NEW", **made)
        return codec.row(decode(found["Attributes"]))

    def delete(self, pk: str, sk: str, when: str = "", values: Mapping[str, Any] | None = None) -> None:
        """Remove the item if `when` holds."""
        self._write(self._client.delete_item, TableName=self.name, **delete(pk, sk, when, values))

    def transact(self, *members: Item) -> None:
        """All of the members, or none: each is `{"Put" | "Update" | "Delete" | "ConditionCheck": …}`."""
        made = [{kind: {"TableName": self.name, **arguments}} for m in members for kind, arguments in m.items()]
        for left in reversed(range(_TRIES)):
            deadline.change()
            try:
                self._client.transact_write_items(TransactItems=made)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = error.response.get("CancellationReasons", [])
                failed = tuple(i for i, r in enumerate(reasons) if r.get("Code") == "ConditionalCheckFailed")
                if failed:
                    raise Conflict(failed=failed) from None
                if not left or not aws.is_transient(error):
                    raise
                # it met another one on the same items; neither was wrong, and the other is about to end
                time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - spreads tries, guards nothing
            else:
                return

    def _write(self, call: Any, **arguments: Any) -> Any:
        if "ConditionExpression" in arguments:
            arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        deadline.change()
        try:
            return call(**arguments)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            old = error.response.get("Item")
            raise Conflict(codec.row(decode(old)) if old else None) from None


def put(item: Item, when: str = "", values: Mapping[str, Any] | None = None) -> Item:
    """A Put's arguments; every row says which schema wrote it."""
    row = {"schema": SCHEMA, **{k: v for k, v in item.items() if v is not None}}
    return {"Item": encode(row), **_expression(ConditionExpression=when), **_values(values)}


def update(pk: str, sk: str, change: str, when: str = "", values: Mapping[str, Any] | None = None) -> Item:
    """An Update's arguments. A row that it makes says which schema made it; one that stands keeps its number."""
    numbered = "SET #schema = if_not_exists(#schema, :schema)"
    change = f"{numbered}, {change.removeprefix('SET ')}" if change.startswith("SET ") else f"{numbered} {change}"
    return {
        "Key": _key(pk, sk),
        **_expression(UpdateExpression=change, ConditionExpression=when),
        **_values({**(values or {}), "schema": SCHEMA}),
    }


def delete(pk: str, sk: str, when: str = "", values: Mapping[str, Any] | None = None) -> Item:
    """A Delete's arguments."""
    return {"Key": _key(pk, sk), **_expression(ConditionExpression=when), **_values(values)}


def check(pk: str, sk: str, when: str, values: Mapping[str, Any] | None = None) -> Item:
    """A ConditionCheck's arguments."""
    return {"Key": _key(pk, sk), **_expression(ConditionExpression=when), **_values(values)}


def table(*, patience: float = 1.0) -> Table:
    """The stack's table."""
    return Table(settings().table, aws.client("dynamodb", patience=patience))
