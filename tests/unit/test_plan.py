"""What plan makes of GitHub's own words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatops import clock
from chatops.domain.errors import Refusal
from chatops.domain.reason import Reason
from chatops.domain.release import Release
from chatops.domain.target import Policy, Target
from chatops.github import versions
from chatops.github.client import github
from chatops.github.versions import Commit
from chatops.settings import config
from chatops.slack import people
from chatops.steps import candidate, plan, target_lock
from chatops.store import locks, releases
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
        candidate.resolve(None, "", Target("dev", "acme/checkout-api", "dev_deploy"))  # type: ignore[arg-type]


LIMITS = {
    "retry after": ({"Retry-After": "1800"}, 1800),
    "used up": ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1760000900"}, 901),
    "no header": ({}, 60),
}


@pytest.mark.parametrize(
    ("path", "name"), [*(("/git/ref/tags/v9", name) for name in LIMITS), ("/tags$", "retry after")]
)
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
                candidate.resolve(client, sha, target)
            assert refused.value.key == "commit_elsewhere"
            assert refused.value.values["version"] == sha
        assert versions.admitted(client, side, branches=("main", "side")), "as soon as a target admits that branch"
        assert not versions.admitted(client, strangers[0], branches=("main", "side"))
        here.tags["v9"] = Tag("v9", side, time.at)
        for sha in (side, here.head().sha, here.head().parents[0][:7]):
            assert here.resolve(sha) == here.commits[candidate.resolve(client, sha, target).sha]
        with pytest.raises(Refusal, match="commit_elsewhere"):
            candidate.resolve(client, side, replace(target, tags="api@*"))


def test_a_branch_is_deployed_where_the_policy_admits_it_and_refused_in_words_elsewhere(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Target("prod", "acme/checkout-api", "prod_deploy")
    target = replace(closed, policy=Policy(branches=("main", "release/*")))
    with staged(rows, time, monkeypatch, "build") as stage:
        here, client = stage.fake.default_repository, github(target.repository)
        head, side = here.head().sha, stage.fake.add_commit("On the side", branch="side").sha
        release = stage.fake.add_commit("A fix", branch="release/1").sha
        made = candidate.resolve(client, "main", target)
        assert (made.version, made.sha, made.title) == (f"main@{head[:7]}", head, here.head().message)
        assert candidate.resolve(client, f"release/1@{release[:7]}", target).sha == release
        for version, where, key in (
            ("side", target, "branch_not_admitted"),
            (f"side@{side[:7]}", target, "branch_not_admitted"),
            (f"main@{side[:7]}", target, "not_on_branch"),
            ("main", closed, "branches_not_admitted"),
            ("nowhere", target, "unknown_version"),
            (side, target, "commit_elsewhere"),
        ):
            with pytest.raises(Refusal) as refused:
                candidate.resolve(client, version, where)
            assert refused.value.key == key, version
        with pytest.raises(Refusal) as refused:
            candidate.resolve(client, "side", target)
        assert "doesn't deploy. It deploys `main, release/*`." in refused.value.text
        here.tags["main"] = Tag("main", side, time.at)
        made = candidate.resolve(client, "main", target)
        assert (made.version, made.sha) == ("main", side)
        assert made.note == Reason("tag_and_branch", version="main", branch=f"main@{head[:7]}")


def test_only_a_commit_that_was_healthy_there_goes_on_from_the_target_before(
    rows: Table, monkeypatch: pytest.MonkeyPatch, environment: pytest.MonkeyPatch
) -> None:
    prod = Target("prod", "acme/shop", "prod_deploy", policy=Policy(after="staging"))
    what = candidate.Candidate("v2", "2" * 40)

    def key() -> str:
        with pytest.raises(Refusal) as refused:
            candidate.assert_verified(prod, what)
        assert "`/platform-deploy v2 staging`" in refused.value.text
        return refused.value.key

    assert key() == "after_first"
    for other in (
        Release("v1", "1" * 40, deployment_id="d-1", verified_at="2025-01-01T00:00:00.000Z"),
        Release("v2", "3" * 40, deployment_id="d-2", verified_at="2025-01-02T00:00:00.000Z"),  # the tag has moved
        Release("v2", "", deployment_id="before", verified_at="2025-01-03T00:00:00.000Z"),
    ):
        rows.transact(releases.adding("staging", other))
    rows.transact(releases.adding("prod", Release("v2", "2" * 40, verified_at="2025-01-03T00:00:00.000Z")))
    assert key() == "after_first", "by its commit, and in that target"
    healthy = Release("v2", "2" * 40, deployment_id="d-4", verified_at="2025-01-04T00:00:00.000Z")
    rows.transact(releases.adding("staging", healthy))
    candidate.assert_verified(prod, what)
    candidate.assert_verified(replace(prod, policy=Policy()), candidate.Candidate("v9", "9" * 40))
    releases.leave(rows, "staging", healthy)
    assert key() == "after_left"
    rows.transact(releases.clearing("staging", healthy))
    candidate.assert_verified(prod, what)


def test_what_comes_first_holds_a_deployment_and_its_dry_run_and_no_rollback(
    rows: Table, environment: pytest.MonkeyPatch
) -> None:
    before = Policy(branches=("main",))
    known = {"staging": Target("staging", "acme/shop", "s", policy=before)}
    known["prod"] = Target("prod", "acme/shop", "p", policy=Policy(after="staging"))
    for module in (plan, candidate, target_lock):
        environment.setattr(module, "targets", lambda: known)
    environment.setattr(plan, "github", lambda *_, **__: object())
    environment.setattr(candidate, "resolve", lambda *_: candidate.Candidate("v2", "2" * 40))
    environment.setattr(people, "can_post", lambda _: True)

    def planned(**more: Any) -> tuple[str, str]:
        asked = {"command": "deploy", "version": "v2", "target": "prod", "requester": {"id": "U0DANA001"}, **more}
        made = call(plan.run, {"deployment_id": "d-one", "execution_arn": "arn:x", "request": asked})
        return made["verdict"], made.get("refusal", {}).get("key", "")

    for more in ({}, {"dry_run": True}, {"break_glass": True, "reason": "now"}):
        assert planned(**more) == ("refused", "after_first")
    assert planned(command="rollback", version="") == ("refused", "no_way_back")
    assert candidate._pinned(known["prod"]) == ("main",)
    rows.transact(releases.adding("staging", Release("v2", "2" * 40, verified_at="2025-01-04T00:00:00.000Z")))
    assert planned() == ("go", "")


def test_a_dry_run_says_what_would_refuse_it_now(rows: Table, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(plan, "targets", lambda: {"prod": Target("prod", "acme/shop", "p")})
    environment.setattr(plan, "github", lambda *_, **__: object())
    environment.setattr(candidate, "resolve", lambda *_: candidate.Candidate("v2", "2" * 40))
    asked = {"command": "deploy", "version": "v2", "target": "prod", "requester": {"id": "U0DANA001"}, "dry_run": True}
    for busy, key in ((None, None), (Refusal("busy", target="prod"), "busy")):
        environment.setattr(target_lock, "obstacle", lambda *_, busy=busy: busy)
        made = call(plan.run, {"deployment_id": "d-one", "execution_arn": "arn:x", "request": asked})
        assert (made["verdict"], (made.get("refusal") or {}).get("key")) == ("dry_run", key)


def test_the_commit_of_a_branch_goes_on_where_the_branch_itself_may_not(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"staging": Target("staging", "acme/checkout-api", "s", policy=Policy(branches=("main",)))}
    known["prod"] = Target("prod", "acme/checkout-api", "p", policy=Policy(after="staging"))
    with staged(rows, time, monkeypatch, "build") as stage:
        monkeypatch.setattr(candidate, "targets", lambda: known)
        client, head = github("acme/checkout-api"), stage.fake.default_repository.head().sha
        shown = candidate.resolve(client, "main", known["staging"]).version
        assert candidate.resolve(client, shown, known["prod"]) == candidate.resolve(client, "main", known["staging"])
        assert candidate.resolve(client, shown, known["prod"]).sha == head
        with pytest.raises(Refusal, match="branches_not_admitted"):
            candidate.resolve(client, "main", known["prod"])


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
            candidate.resolve(client, stranger.sha, target)
        assert candidate.resolve(client, main.sha, target).sha == main.sha


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
        made = candidate.changes(client, here.tags["v1.0.0"].sha, here.head().sha)
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
            candidate.resolve(client, version, target)
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
