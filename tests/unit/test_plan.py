"""What plan makes of GitHub's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatops import clock
from chatops.domain.errors import Refusal
from chatops.domain.target import Target
from chatops.github import versions
from chatops.github.client import github
from chatops.github.versions import Commit
from chatops.settings import config
from chatops.steps import plan
from chatops.store import locks
from chatops.store.table import Table
from fakes.github import Fault
from fakes.github.model import Tag
from tests.unit.conftest import Time
from tests.unit.stage_session import ID, staged
from tests.unit.steps import call


@pytest.mark.parametrize("tag", ["$(reboot)", "a b", "v1..2", "`v1`"])
def test_the_newest_releases_tag_is_held_to_the_allow_list_too(tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Commit(tag, "e3c8241a6e0881bad7a9721d12c6698a35e1e833", "", "")
    monkeypatch.setattr(versions, "resolve", lambda *_: found)
    with pytest.raises(Refusal, match="bad_version"):
        plan._version(None, "", Target("dev", "acme/checkout-api", "dev_deploy"))  # type: ignore[arg-type]


LIMITS = {
    "retry after": ({"Retry-After": "1800"}, 1800),
    "used up": ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1760000900"}, 901),
    "no header": ({}, 60),
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("path", ["/git/ref/tags/v9", "/tags$"])
def test_a_rate_limit_is_refused_in_words_and_takes_nothing(
    name: str, path: str, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of GitHub: people are told until when, and the target stays free."""
    headers, seconds = LIMITS[name]
    with staged(rows, time, monkeypatch, "build") as stage:
        locks.free(rows, "dev", ID)
        time.at = 1_760_000_000.0
        body = {"message": "You have exceeded a secondary rate limit."}
        stage.fake.faults.append(Fault(path=path, status=403, headers=headers, body=body, times=None))
        asked = {"command": "deploy", "target": "dev", "version": "v9", "requester": {"id": "U0DANA001"}}
        monkeypatch.setattr(plan.policy, "requester", lambda *_: {})
        made = call(plan.run, {"deployment_id": "d-two", "execution_arn": "arn:x", "request": asked})
        assert (made["verdict"], made["refusal"]["key"]) == ("refused", "github_pause")
        assert made["refusal"]["values"] == {"until": clock.iso(1_760_000_000.0 + seconds)}
        assert stage.holder() == ""


def test_a_bare_commit_must_be_on_the_default_branch_or_tagged(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub serves the commits of forks, and those of pull requests, under the repository's own address."""
    target = Target("dev", "acme/checkout-api", "dev_deploy")
    with staged(rows, time, monkeypatch, "build") as stage:
        here, client = stage.fake.default_repository, github(target.repository)
        side = stage.fake.add_commit("On the side", branch="side").sha
        strangers = [here.add_fork_commit("Send me the keys", time.at).sha, side]
        for sha in (*strangers, *(sha[:12] for sha in strangers)):
            with pytest.raises(Refusal) as refused:
                plan._version(client, sha, target)
            assert refused.value.key == "commit_elsewhere"
            assert refused.value.values["version"] == sha
        assert versions.admitted(client, side, branches=("main", "side")), "as soon as a target admits that branch"
        assert not versions.admitted(client, strangers[0], branches=("main", "side"))
        here.tags["v9"] = Tag("v9", side, time.at)
        for sha in (side, here.head().sha, here.head().parents[0][:7]):
            assert here.resolve(sha) == here.commits[plan._version(client, sha, target).sha]
        with pytest.raises(Refusal, match="commit_elsewhere"):
            plan._version(client, side, replace(target, tags="api@*"))


@pytest.mark.parametrize("tag", ["main", "heads/main", "refs/heads/main"])
def test_a_tag_of_the_default_branchs_name_admits_no_commit(
    tag: str, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git takes `main` for the tag where there is a branch as well. https://git-scm.com/docs/gitrevisions"""
    target = Target("dev", "acme/checkout-api", "dev_deploy", tags="v*")
    with staged(rows, time, monkeypatch, "build") as stage:
        here, client = stage.fake.default_repository, github(target.repository)
        stranger, main = here.add_fork_commit("Send me the keys", time.at), here.head()
        here.tags[tag] = Tag(tag, stranger.sha, time.at)
        known = here.resolve
        monkeypatch.setattr(here, "resolve", lambda ref: stranger if ref == tag else known(ref))
        with pytest.raises(Refusal, match="commit_elsewhere"):
            plan._version(client, stranger.sha, target)
        assert plan._version(client, main.sha, target).sha == main.sha


@pytest.mark.parametrize(("answers", "found"), [(1, (10, ())), (None, None)])
def test_a_difference_that_github_is_too_slow_to_show_keeps_nobody_from_deploying(
    answers: int | None,
    found: tuple[int, tuple[str, ...]] | None,
    rows: Table,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with staged(rows, time, monkeypatch, "build") as stage:
        here, client = stage.fake.default_repository, github("acme/checkout-api")
        slow = {"message": "Server Error: Sorry, this diff is taking too long to generate."}
        stage.fake.faults.append(Fault(path="/compare/", status=500, body=slow, times=answers))
        made = plan._changes(client, here.tags["v1.0.0"].sha, here.head().sha)
        assert ((made.commits, made.authors) if made else None) == found


def test_a_commit_of_the_default_branch_costs_three_requests_more_and_a_tag_none(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target("dev", "acme/checkout-api", "dev_deploy")
    with staged(rows, time, monkeypatch, "build") as stage:
        client, head = github(target.repository), stage.fake.default_repository.head().sha
        counts = []
        for version in ("v1.2.3", head):
            before = len(stage.fake.calls)
            plan._version(client, version, target)
            counts.append([call.path.partition("checkout-api")[2] for call in stage.fake.calls[before:]])
        tag, bare = counts
        assert [path.partition("/")[2].partition("/")[0] for path in tag] == ["git", "commits"]
        assert bare[-3:] == ["", "/git/ref/heads/main", f"/compare/{head}...{head}"]
        assert not any("compare" in path for path in tag)


@pytest.mark.parametrize(("asked", "configured", "found"), [("D0DANA001", "C0OPS0001", "C0OPS0001"), ("", "", "")])
def test_a_deployment_is_never_announced_in_direct_messages(
    asked: str, configured: str, found: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SLACK_CHANNEL_ID", configured)
    config.reset()
    assert plan._channel(asked) == found


def test_in_direct_messages_without_a_channel_the_command_says_where_to_ask(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SLACK_CHANNEL_ID", raising=False)
    config.reset()
    with pytest.raises(Refusal, match="ask_in_channel"):
        plan._channel("D0DANA001")
