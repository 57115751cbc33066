"""The page for everybody who has the link: whom it is shown, until when, and that nothing else is told."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from chatops import aws
from chatops.domain import page_link
from chatops.settings import config
from chatops.steps.page import SHUT
from chatops.store import page_keys
from chatops.store.table import Table
from lambdas.page import app
from tests.unit.conftest import Time
from tests.unit.iam import matches
from tests.unit.page_requests import API, ID, STARTED, ask, ended, link, planned, request, shown, signature
from tests.unit.test_template_rules import FUNCTIONS, statements

OTHER = "d-zzzzzzzzzzzz"
NOT_FOUND = {"message": "Not Found"}
DAY = 86_400


@pytest.fixture
def page(rows: Table, time: Time, environment: pytest.MonkeyPatch) -> Table:
    """`ID` has begun a minute ago."""
    dynamodb = rows._client
    environment.setattr(aws, "client", lambda *_, **__: dynamodb)
    time.at = STARTED + 60
    planned(rows)
    return rows


def refused(answer: dict[str, Any]) -> bool:
    assert answer["headers"].items() >= SHUT.items()
    return answer["statusCode"] == 404 and json.loads(answer["body"]) == NOT_FOUND


def test_the_link_that_the_card_has_opens_the_page_and_stays_the_same(page: Table, time: Time) -> None:
    before = link(page)
    assert urlsplit(before)._replace(fragment="").geturl() == f"{API}/d/{ID}"
    assert shown(page)["id"] == ID
    time.pass_by(DAY)
    assert link(page) == before


def test_an_execution_with_a_name_of_its_own_has_a_page_too(page: Table) -> None:
    """Whoever starts one in the console names it; the name stands in the path, encoded."""
    name = "배포-1'é"
    planned(page, name, target="dev")
    assert link(page, name).isascii()
    assert ask(name, signature(page, name))["statusCode"] == 200


def test_any_other_signature_gets_the_answer_of_an_id_that_is_none(page: Table) -> None:
    good = signature(page)
    version, until, mac = good.split(".")
    other = page_link.signature(b"another key, of thirty-two bytes", ID, int(until))
    given = [None, "", "1", f"{version}.{until}", f"{version}.{until}.", mac, good[:-1], good + "A", good.upper()]
    given += [f"2.{until}.{mac}", f"{version}.{int(until) + 1}.{mac}", f"{version}.0{until}.{mac}", other]
    given += [
        f"{good},{good}",
        f"{version}.{until}.{mac[:-1]}{chr(ord(mac[-1]) + 1)}",
        f"\uff11{good[1:]}",
        "x" * 100_000,
    ]
    assert [each for each in given if not refused(ask(ID, each))] == []
    assert refused(ask(OTHER, good))
    assert {json.dumps(ask(*each), sort_keys=True) for each in ((ID, other), (OTHER, good), ("d-%2f..", good))} == {
        json.dumps(ask(OTHER, None), sort_keys=True)
    }


def test_nothing_of_a_deployment_is_read_for_a_signature_that_does_not_hold(
    page: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Table, "get", lambda _self, pk, _sk: asked.append(pk))
    monkeypatch.setattr(Table, "query", lambda _self, pk, *_, **__: asked.append(pk))
    until = page_link.end(STARTED)
    assert refused(ask(ID, page_link.signature(bytes(32), ID, until)))  # what an absent key is compared with
    assert asked == ["PAGES"]
    assert refused(ask(ID, page_link.signature(bytes(32), ID, until + 30 * DAY)))
    assert refused(ask(ID, page_link.signature(bytes(32), ID, int(STARTED))))
    assert asked == ["PAGES"]


def test_a_signature_is_for_one_deployment_one_end_and_one_form() -> None:
    key, until = b"k" * 32, 1_760_000_000
    made = {page_link.signature(key, each, until) for each in ("d-1", "d-1\n", "d-11", "")}
    made |= {page_link.signature(key, "d-1", until + 1), page_link.signature(b"K" * 32, "d-1", until)}
    assert len(made) == 6


def test_the_signature_stands_behind_its_scheme(page: Table) -> None:
    made, good = request(ID, None), signature(page)
    for header in (good, f"Basic {good}", "Bearer", f"Bearer  {good}", f"Bearer {good} ", f"Bearer\t{good}"):
        made["headers"]["authorization"] = header
        assert refused(app.handler(made, None)), header
    made["headers"]["authorization"] = f"bearer {good}"
    assert app.handler(made, None)["statusCode"] == 200


def test_a_signature_elsewhere_counts_for_nothing(page: Table) -> None:
    made, good = request(ID, None), signature(page)
    made |= {"queryStringParameters": {"signature": good}, "rawQueryString": good, "cookies": [f"authorization={good}"]}
    assert refused(app.handler(made, None))
    twice = request(ID, good)
    twice["headers"]["Authorization"] = "Bearer x"
    assert refused(app.handler(twice, None))


def test_it_ends_seven_days_after_the_deployment(page: Table, time: Time) -> None:
    good = signature(page)
    ended(page, "Deployed", "2025-10-09T09:00:00.000Z")
    time.at = 1_760_000_400.0 + 7 * DAY
    assert ask(ID, good)["statusCode"] == 200
    time.pass_by(1)
    assert refused(ask(ID, good))


def test_a_link_ends_even_where_its_deployment_does_not(page: Table, time: Time) -> None:
    good = signature(page)
    time.at = STARTED + 8 * DAY - 1
    assert ask(ID, good)["statusCode"] == 200
    time.pass_by(1)
    assert refused(ask(ID, good))


def test_each_week_has_a_key_of_its_own_which_can_be_taken_back(page: Table) -> None:
    number = page_link.key_number(page_link.end(STARTED))
    keys = [page_keys.ensured(page, each) for each in (number, number + 1)]
    assert keys[0] != keys[1]
    assert [page_keys.ensured(page, each) for each in (number, number + 1)] == keys
    good, row = signature(page), page.get("PAGES", f"KEY#{number}")
    assert row is not None
    assert row["expires_at"] >= page_link.end(STARTED)
    page.delete("PAGES", f"KEY#{number}")
    assert refused(ask(ID, good))
    assert signature(page) != good


def test_two_who_make_the_key_at_once_get_the_same(page: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_keys, "get", lambda *_: None)
    assert page_keys.ensured(page, 7) == page_keys.ensured(page, 7)


def test_switched_off_there_are_no_links_and_no_pages(page: Table, environment: pytest.MonkeyPatch) -> None:
    good = signature(page)
    environment.setenv("CHATOPS_PAGES", "false")
    config.reset()
    assert refused(ask(ID, good))
    for route, name in (("GET /d/{id}", "id"), ("GET /pages/{name}", "name")):
        assert refused(app.handler({"routeKey": route, "pathParameters": {name: "page.js"}}, None))


def test_whoever_has_what_is_shown_gets_no_more(page: Table) -> None:
    good = signature(page)
    answer = ask(ID, good)
    etag = answer["headers"]["etag"]
    again = ask(ID, good, **{"if-none-match": f'"x", W/{etag}'})
    assert (again["statusCode"], again["body"], again["headers"]["etag"]) == (304, "", etag)
    assert refused(ask(ID, None, **{"if-none-match": etag}))
    ended(page, "Deployed", "2025-10-09T09:00:00.000Z")
    assert ask(ID, good, **{"if-none-match": etag})["statusCode"] == 200


def test_nothing_but_get_reaches_it() -> None:
    events = [one["Properties"] for one in FUNCTIONS["PageFunction"]["Events"].values()]
    assert {one["Method"] for one in events} == {"GET"}
    assert {one["Path"] for one in events} == {"/d/{id}", "/d/{id}/state", "/pages/{name}"}


def test_the_page_itself_says_nothing_of_a_deployment(page: Table) -> None:
    made = [app.handler({"routeKey": "GET /d/{id}", "pathParameters": {"id": each}}, None) for each in (ID, OTHER)]
    assert made[0] == made[1]
    assert made[0]["headers"].items() >= SHUT.items()
    assert "{{" not in made[0]["body"]
    assert '<html lang="en">' in made[0]["body"]


def test_the_page_speaks_the_bots_language(page: Table, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHATOPS_LANG", "ko")
    config.reset()
    body = app.handler({"routeKey": "GET /d/{id}", "pathParameters": {"id": ID}}, None)["body"]
    assert '<html lang="ko">' in body
    assert "타임라인" in body
    assert shown(page)["language"] == "ko"


def test_what_is_read_is_what_its_policy_names(page: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    read, get, query = set[str](), Table.get, Table.query
    monkeypatch.setattr(Table, "get", lambda self, pk, sk: (read.add(pk), get(self, pk, sk))[1])
    monkeypatch.setattr(Table, "query", lambda self, pk: (read.add(pk), query(self, pk))[1])
    shown(page)
    (one,) = statements(FUNCTIONS["PageFunction"])
    patterns = one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    assert [pk for pk in read if not any(matches(pattern, pk) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(matches(pattern, pk) for pk in read)] == []


def test_a_table_that_does_not_answer_is_said(page: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    good = signature(page)

    def silent(*_: Any, **__: Any) -> None:
        raise page._client.exceptions.ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")

    monkeypatch.setattr(Table, "query", silent)
    answer = ask(ID, good)
    assert (answer["statusCode"], answer["headers"].items() >= SHUT.items()) == (503, True)
