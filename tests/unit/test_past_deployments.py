"""`make history`: every deployment of the table, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chatops.domain.question import Answer, Question
from chatops.domain.reason import Cause, Reason
from chatops.domain.record import Outcome
from chatops.store import deployments, questions
from chatops.store.table import Table
from scripts import history
from tests.unit import stored
from tests.unit.conftest import TABLE, Time
from tests.unit.test_publish import ARN, PLAN, SCHEMA


@pytest.fixture(autouse=True)
def table(rows: Table, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHATOPS_TABLE", TABLE)
    environment.setenv("AWS_DEFAULT_REGION", "us-east-1")


def begun(rows: Table, name: str, day: int, **plan: Any) -> None:
    stored.begin(rows, name, ARN, {**PLAN, "started_at": 1_767_225_600.0 + 86_400 * (day - 1), **plan})


def asked(**env: str) -> tuple[int, str]:
    out = io.StringIO(newline="")
    return history.main(env, out), out.getvalue()


def ids(**env: str) -> list[str]:
    return [each["deployment"]["id"] for each in json.loads(asked(FORMAT="json", **env)[1])]


def full(rows: Table, time: Time) -> None:
    """A deployment with everything."""
    glass, who = {"by": "U0DANA001", "reason": "the shop is down"}, {"id": "U0DANA001", "name": "dana"}
    begun(rows, "d-1", 1, reason="=1+1", break_glass=glass, image="shop@sha256:1", requester=who)
    questions.ask(rows, "d-1", Question(time(), time() + 600, ("U0LEE0001",), 1))
    questions.record(rows, "d-1", Answer.APPROVED, "U0LEE0001", "@all: fine")
    questions.ask(rows, "d-1", Question(time(), time() + 600, mark="ab", stage="deploy", strategy="CANARY"))
    time.pass_by(1)
    questions.record(rows, "d-1", Answer.PROMOTED, "U0KIM0001", mark="ab")
    why = Cause(Reason("why_run_failed_bare"), stage="deploy")
    ended = Outcome("Rolled Back", why=why, by="U0KIM0001", at="2026-01-01T01:00:00.000Z", seconds=9.0)
    deployments.settle(rows, stored.record_of(rows, "d-1"), ended)


def test_who_what_when_decided_by_whom_and_how_it_ended(rows: Table, time: Time) -> None:
    full(rows, time)
    begun(rows, "d-2", 2)
    status, text = asked(FORMAT="json")
    first, second = json.loads(text)
    assert status == 0
    assert [each["decision"] for each in first["decisions"]] == ["approved", "promoted"]
    assert first["end"]["running"] == "v1"
    assert second["decisions"] == []
    assert "end" not in second
    parts = {"deployment": "deployment", "end": "end"}
    for name, each in [*((parts[k], first[k]) for k in parts), *(("decision", one) for one in first["decisions"])]:
        Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA.schema["$defs"]}).validate(each)


def test_the_csv_has_a_value_in_each_column_and_no_formula(rows: Table, time: Time) -> None:
    full(rows, time)
    begun(rows, "d-2", 2, reason='a "quoted"\r\nreason, 한국어')
    status, text = asked()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert status == 0
    assert [name for name, cell in first.items() if not cell] == []
    assert (first["reason"], first["decision_reason"]) == ("'=1+1", "'@all: fine")
    assert (first["decided_by"], first["approvers"], first["end"]) == ("U0LEE0001", "U0LEE0001", "Rolled Back")
    assert first["promotions"].startswith("promoted U0KIM0001 20")
    assert second["reason"] == 'a "quoted"\r\nreason, 한국어'
    assert [second[name] for name in ("decision", "approvers", "end", "seconds")] == [""] * 4


def test_no_cell_begins_as_a_formula(rows: Table) -> None:
    reasons = [f"{begins}cmd|' /C calc'!A0" for begins in "=+-@\t\r\n＝＋－＠"]  # noqa: RUF001
    for day, reason in enumerate(reasons, 1):
        begun(rows, f"d-{day}", day, reason=reason)
    lines = csv.DictReader(io.StringIO(asked()[1], newline=""))
    assert [line["reason"] for line in lines] == [f"'{reason}" for reason in reasons]


def test_an_empty_table_is_a_heading(rows: Table) -> None:
    assert asked() == (0, ",".join(history.COLUMNS) + "\r\n")
    assert asked(FORMAT="json") == (0, "[]\n")


def test_a_target_and_a_day_choose(rows: Table) -> None:
    begun(rows, "d-1", 1)
    begun(rows, "d-3", 3, target="dev")
    begun(rows, "d-2", 2)
    assert ids() == ["d-1", "d-2", "d-3"]
    assert ids(TARGET="dev") == ["d-3"]
    assert ids(SINCE="2026-01-02") == ["d-2", "d-3"]
    assert ids(SINCE="2026-01-02T09:00:00+09:00", TARGET="prod") == ["d-2"]
    assert ids(SINCE="2026-01-02T00:00:01Z") == ["d-3"]


def test_pages(rows: Table, time: Time) -> None:
    """Each row a page of its own: a deployment's rows come apart."""
    full(rows, time)
    begun(rows, "d-2", 2)
    pages: list[int] = []

    class Paged:
        def get_paginator(self, operation: str) -> Any:
            real = rows._client.get_paginator(operation)

            class Small:
                def paginate(self, **given: Any) -> Any:
                    for page in real.paginate(**given, PaginationConfig={"PageSize": 1}):
                        pages.append(len(page["Items"]))
                        yield page

            return Small()

    assert history.read(Paged(), TABLE) == history.read(rows._client, TABLE)
    assert len(pages) > 8
    assert sum(pages) == 4, "the filter leaves three rows of the first, one of the second"


def test_what_another_version_wrote_is_said_and_keeps_none_of_the_others(
    rows: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(rows, "d-1", 1)
    begun(rows, "d-2", 2)
    key = {"pk": {"S": "DEPLOYMENT#d-1"}, "sk": {"S": "RECORD"}}
    item = rows._client.get_item(TableName=TABLE, Key=key)["Item"]
    rows._client.put_item(TableName=TABLE, Item={**item, "schema": {"N": "99"}})
    status, text = asked(FORMAT="json")
    assert status == 1
    assert [each["deployment"]["id"] for each in json.loads(text)] == ["d-2"]
    assert "d-1 RECORD" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("env", "said"),
    [({"FORMAT": "xml"}, "FORMAT"), ({"SINCE": "yesterday"}, "SINCE")],
)
def test_a_mistake_in_the_words_is_named(env: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(**env) == (2, "")
    assert said in capsys.readouterr().err


def test_without_a_stack_it_says_what_to_name(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("CHATOPS_TABLE")
    assert asked() == (1, "")
    assert "STACK=name" in capsys.readouterr().err
