"""The table in memory is held to moto's DynamoDB: by every call of every scenario, and by expressions one by one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops.store import table as t
from chatops.store.attributes import decode, encode
from chatops.store.table import Table as Rows
from tests.simulator import run
from tests.simulator.points import Plan, pairs
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import opened
from tests.simulator.table import Table
from tests.unit.conftest import environment, rows

__all__ = ["environment", "rows"]
PAIRS = 4
Answer = tuple[str, Any]


def answer(call: Callable[..., Any], *given: Any, **named: Any) -> Answer:
    """What a call comes to: an answer, or an error's code and what it tells besides."""
    try:
        found = call(*given, **named)
    except ClientError as error:
        told = error.response
        reasons = [reason["Code"] for reason in told.get("CancellationReasons", [])]
        return str(told["Error"]["Code"]), (_in_order(told.get("Item")), reasons)
    return "", {name: _in_order(found[name]) for name in ("Item", "Items", "Attributes") if found.get(name)}


def _in_order(found: Any) -> Any:
    """Sets have no order, and numbers no one way to be written."""
    if isinstance(found, list):
        return [_in_order(one) for one in found]
    return decode(found) if found else found


class Doubled(Table):
    """Asks moto's, too. Every answer must be the same."""

    def __init__(self, name: str, client: Any) -> None:
        super().__init__()
        self._name, self._client = name, client

    def _both(self, mine: Callable[[Any], Any], theirs: str, asked: dict[str, Any]) -> Any:
        named = {**asked, "TableName": self._name}
        if "TransactItems" in asked:
            named = {
                "TransactItems": [
                    {kind: {**arguments, "TableName": self._name} for kind, arguments in member.items()}
                    for member in asked["TransactItems"]
                ]
            }
        found = answer(getattr(self._client, theirs), **named)
        kept: list[Any] = []

        def call() -> Any:
            kept.append(mine(asked))
            return kept[0]

        made = answer(call)
        assert made == found, f"{theirs} {asked}"
        return kept[0] if kept else mine(asked)

    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._both(super().get, "get_item", asked)

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._both(super().query, "query", asked)

    def put(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._both(super().put, "put_item", asked)

    def delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._both(super().delete, "delete_item", asked)

    def update(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._both(super().update, "update_item", asked)

    def transact(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._both(super().transact, "transact_write_items", asked)


def _emptied(rows: Rows) -> None:
    for item in rows._client.scan(TableName=rows.name)["Items"]:
        rows._client.delete_item(TableName=rows.name, Key={"pk": item["pk"], "sk": item["sk"]})


@pytest.mark.parametrize(
    "name", ["approved", *(pytest.param(n, marks=pytest.mark.slow) for n in SCENARIOS if n != "approved")]
)
def test_every_call_of_a_scenario_is_answered_as_moto_answers_it(rows: Rows, name: str) -> None:
    with opened() as session:
        session.make_table = lambda: Doubled(rows.name, rows._client)
        play, result = run.played(Plan(name), session)
        assert not result.failures, str(result)
        theirs = rows._client.scan(TableName=rows.name)["Items"]
        key = lambda row: (row["pk"], row["sk"])  # noqa: E731 - short
        assert sorted(map(decode, play.session.table.items.values()), key=key) == sorted(map(decode, theirs), key=key)


@pytest.mark.slow
def test_every_call_is_answered_as_moto_answers_it_where_something_goes_wrong(rows: Rows) -> None:
    with opened() as session:
        plans = list(islice(pairs(run.records(session), "table"), PAIRS))
        session.make_table = lambda: Doubled(rows.name, rows._client)
        for plan in plans:
            _emptied(rows)
            run.played(plan, session)


ITEM = {"pk": "P", "sk": "S", "n": 2, "name": "b", "yes": True, "said": {"a", "b"}, "list": [1], "map": {"k": "v"}}
GIVEN = {
    "one": 1, "two": 2, "three": 3, "half": 2.5, "a": "a", "b": "b", "c": "c", "empty": "", "long": "bb", "yes": True,
    "no": False, "set": {"b", "a"}, "list": [1], "map": {"k": "v"}, "none": None, "more": {"c"},
}  # fmt: skip
SIGNS = ("=", "<>", "<", "<=", ">", ">=")
CONDITIONS = [
    "attribute_exists(#pk)",
    "attribute_not_exists(#pk)",
    "attribute_exists(#gone)",
    "attribute_not_exists(#gone)",
    *(f"#n {sign} :{value}" for sign in SIGNS for value in ("one", "two", "three", "half")),
    *(f"#name {sign} :{value}" for sign in SIGNS for value in ("a", "b", "c", "long")),
    *(f"#n {sign} :b" for sign in ("=", "<>")),
    *(f"#name {sign} :two" for sign in ("=", "<>")),
    *(f"#gone {sign} :{value}" for sign in ("=", "<>", "<", ">=") for value in ("one", "b")),
    *(f"#yes = :{value}" for value in ("yes", "no", "b")),
    "#said = :set",
    "#said <> :more",
    "#list = :list",
    "#map = :map",
    "#map <> :map",
    "begins_with(#name, :b)",
    "begins_with(#name, :long)",
    "begins_with(#gone, :b)",
    "NOT #n = :two",
    "NOT attribute_exists(#gone)",
    "attribute_not_exists(#gone) OR #n = :one",
    "attribute_exists(#gone) OR #n = :two",
    "attribute_exists(#pk) AND #n = :one",
    "attribute_exists(#pk) AND #n = :two",
    "#n = :one OR #n = :two AND #name = :c",
    "(#n = :one OR #n = :two) AND #name = :b",
    "#n = :two OR #name = :c AND #n = :one",
]  # fmt: skip
UPDATES = [
    "SET #n = :three",
    "SET #new = :a, #name = :c",
    "SET #n = if_not_exists(#n, :one)",
    "SET #new = if_not_exists(#new, :one)",
    "SET #new = #name",
    "REMOVE #name",
    "REMOVE #gone",
    "REMOVE #name, #n",
    "ADD #n :one",
    "ADD #new :half",
    "ADD #said :more",
    "ADD #new :more",
    "SET #new = :none REMOVE #name ADD #n :two",
]


def _asked(text: str) -> dict[str, Any]:
    """The names and values that the expression has."""
    values = {
        name: value for name, value in GIVEN.items() if f":{name}" in text.replace(",", " ").replace(")", " ").split()
    }
    found = {name: name for name in t._NAME.findall(text)}
    made: dict[str, Any] = {"ExpressionAttributeNames": {f"#{name}": name for name in found}}
    return made | ({"ExpressionAttributeValues": encode({f":{k}": v for k, v in values.items()})} if values else {})


@pytest.fixture
def doubled(rows: Rows) -> Doubled:
    made = Doubled(rows.name, rows._client)
    made.put({"Item": encode(ITEM)})
    return made


KEYS = [{"pk": {"S": "P"}, "sk": {"S": sk}} for sk in ("S", "absent")]


def test_conditions_hold_where_motos_hold(doubled: Doubled) -> None:
    for text in CONDITIONS:
        for key in KEYS:
            check = {"Key": key, "ConditionExpression": text, **_asked(text)}
            answer(doubled.transact, {"TransactItems": [{"ConditionCheck": check}]})
            change = {**check, "UpdateExpression": "SET #n = #n"} if key is KEYS[0] else None
            if change:
                change["ExpressionAttributeNames"] = {**change["ExpressionAttributeNames"], "#n": "n"}
                answer(doubled.update, {**change, "ReturnValues": "ALL_NEW"})


def test_updates_leave_what_motos_leave(doubled: Doubled) -> None:
    for text in UPDATES:
        for key in KEYS:
            doubled.put({"Item": encode(ITEM)})
            doubled.delete({"Key": KEYS[1]})
            if key is KEYS[0] or "= #name" not in text:
                doubled.update({"Key": key, "UpdateExpression": text, "ReturnValues": "ALL_NEW", **_asked(text)})
            doubled.get({"Key": key})


def test_a_failed_write_tells_what_stood_in_its_way(doubled: Doubled) -> None:
    never = {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": "pk"}}
    told = {**never, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    for asked in (never, told):
        answer(doubled.put, {"Item": encode({**ITEM, "n": 3}), **asked})
        answer(doubled.delete, {"Key": KEYS[0], **asked})
    doubled.get({"Key": KEYS[0]})


def test_a_transaction_is_done_whole_or_not_at_all(doubled: Doubled) -> None:
    put = {"Put": {"Item": encode({"pk": "P", "sk": "T"})}}
    check = {"ConditionCheck": {"Key": KEYS[0], "ConditionExpression": "#n = :one", **_asked("#n = :one")}}
    answer(doubled.transact, {"TransactItems": [put, check]})
    doubled.get({"Key": {"pk": {"S": "P"}, "sk": {"S": "T"}}})
    doubled.transact({"TransactItems": [put, {"Delete": {"Key": KEYS[0]}}]})
    doubled.get({"Key": KEYS[0]})


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_a_query_gives_the_same_pages(doubled: Doubled, forward: bool, limit: int) -> None:
    for sk in ("A#1", "A#2", "A#10", "B#1", "a#1", "é"):
        doubled.put({"Item": encode({"pk": "P", "sk": sk})})
    for text, values in (
        ("pk = :pk", {":pk": "P"}),
        ("pk = :pk", {":pk": "none"}),
        ("pk = :pk AND begins_with(sk, :sk)", {":pk": "P", ":sk": "A#"}),
    ):
        asked = {
            "KeyConditionExpression": text,
            "ExpressionAttributeValues": encode(values),
            "ScanIndexForward": forward,
            "ConsistentRead": True,
            "Limit": limit,
        }
        page = doubled.query(asked)
        for _ in range(10):
            if "LastEvaluatedKey" not in page:
                break
            page = doubled.query({**asked, "ExclusiveStartKey": page["LastEvaluatedKey"]})
