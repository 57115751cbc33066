"""The GitHub fake's lists: pages, Link headers that can be followed, filters and their ceiling."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator

import pytest
import requests
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from fakes.clock import Clock
from fakes.github import GitHub
from fakes.github.model import iso

REPO = "/repos/acme/checkout-api"
AUTH = {"Authorization": "Bearer ghp_local", "User-Agent": "tests"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A fake without runs."""
    github = GitHub(Clock(1000))
    yield github
    github.close()


@pytest.fixture
def client(github: GitHub) -> Client:
    """Requests without a network."""
    return Client(github.mount)


def get(client: Client, path: str) -> TestResponse:
    """GET below the repository with a good token."""
    return client.get(f"{REPO}{path}", headers=AUTH)


def links(response: TestResponse) -> dict[str, str]:
    """Relation -> page number."""
    parsed = requests.utils.parse_header_links(response.headers.get("Link", ""))
    return {one["rel"]: urllib.parse.parse_qs(urllib.parse.urlsplit(one["url"]).query)["page"][0] for one in parsed}


def test_runs_come_in_pages_newest_first(client: Client, github: GitHub) -> None:
    github.add_foreign_runs(65)
    pages = [get(client, f"/actions/runs?per_page=30&page={page}") for page in (1, 2, 3, 4)]
    assert [links(page) for page in pages] == [
        {"next": "2", "last": "3"},
        {"prev": "1", "next": "3", "last": "3", "first": "1"},
        {"prev": "2", "first": "1"},
        {"prev": "3", "first": "1"},
    ]
    numbers = [run["run_number"] for page in pages for run in page.json["workflow_runs"]]  # type: ignore[index]
    assert numbers == list(range(65, 0, -1))
    assert {page.json["total_count"] for page in pages} == {65}  # type: ignore[index]


def test_a_link_can_be_followed_as_it_stands(client: Client, github: GitHub) -> None:
    github.add_foreign_runs(3)
    first = get(client, "/actions/runs?per_page=2&event=repository_dispatch")
    address = requests.utils.parse_header_links(first.headers["Link"])[0]["url"]
    assert f"/repositories/{github.default_repository.id}/actions/runs" in address
    second = client.get(address.removeprefix("http://localhost"), headers=AUTH)
    assert [run["run_number"] for run in second.json["workflow_runs"]] == [1]  # type: ignore[index]


def test_per_page_is_capped_and_nonsense_ignored(client: Client, github: GitHub) -> None:
    github.add_foreign_runs(120)
    for query, count in (("per_page=500", 100), ("per_page=x&page=-1", 30), ("per_page=0", 30)):
        assert len(get(client, f"/actions/runs?{query}").json["workflow_runs"]) == count  # type: ignore[index]


def test_a_filtered_search_ends_after_a_thousand(client: Client, github: GitHub) -> None:
    github.add_foreign_runs(1005)
    last = get(client, "/actions/runs?per_page=100&event=repository_dispatch&page=11")
    assert last.json is not None
    assert (last.json["total_count"], last.json["workflow_runs"]) == (1005, [])


def test_runs_are_filtered(client: Client, github: GitHub) -> None:
    now = github.clock.now()
    github.add_foreign_runs(1, event="push", created=now - 7200, title="old push")
    github.add_foreign_runs(1, created=now - 3600, status="in_progress", title="moving")
    github.add_foreign_runs(1, created=now, conclusion="failure", title="failed")

    def found(**query: str) -> list[str]:
        response = client.get(f"{REPO}/actions/runs", query_string=query, headers=AUTH)
        return [run["display_title"] for run in response.json["workflow_runs"]]  # type: ignore[index]

    assert found(event="push") == ["old push"]
    assert found(event="repository_dispatch") == ["failed", "moving"]
    assert found(status="in_progress") == ["moving"]
    assert found(status="completed") == ["failed", "old push"]
    assert found(status="failure") == ["failed"]
    assert found(branch="elsewhere") == []
    assert found(created=f">={iso(now - 3600)}") == ["failed", "moving"]
    assert found(created=f"{iso(now - 7200)}..{iso(now - 3600)}") == ["moving", "old push"]


def test_addresses_lead_back_to_wherever_the_stand_in_is_mounted(github: GitHub) -> None:
    github.add_foreign_runs(2)
    mounted = Client(DispatcherMiddleware(lambda *_: [], {"/github": github.mount}))
    first = mounted.get(f"/github{REPO}/actions/runs?per_page=1", headers=AUTH)
    run = first.json["workflow_runs"][0]  # type: ignore[index]
    link = requests.utils.parse_header_links(first.headers["Link"])[0]["url"]
    for address in (run["url"], run["jobs_url"], link):
        assert address.startswith("http://localhost/github/")
        assert mounted.get(address.removeprefix("http://localhost"), headers=AUTH).status_code == 200
    assert run["html_url"] == f"https://github.com/acme/checkout-api/actions/runs/{run['id']}"
