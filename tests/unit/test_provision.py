"""What the local run makes of a targets.yaml: each target's pipeline changes that target and no other, everybody whom
the file names is there, and its text says it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatops.domain.target import Policy, Target
from chatops.settings import targets_file
from fakes.clock import Clock
from fakes.github import GitHub
from fakes.slack import Slack
from local import demo, people, provision, settings, targets_text
from local.scenario import NoTarget
from local.scenarios import ALL
from tests.statemachine.test_targets import FILES

ENV = {"GITHUB_ID": "acme", "GITHUB_REPO": "checkout-api", "SLACK_APPROVERS": "U0LEE0001,U0KIM0001"}
STEPS = ("Register task definition", "Update service")


@pytest.fixture(params=FILES)
def targets(request: pytest.FixtureRequest) -> dict[str, Target]:
    return targets_file.load(FILES[request.param], ENV)


def test_a_pipeline_changes_its_own_target_and_no_other(targets: dict[str, Target]) -> None:
    clock = Clock(1000)
    platforms = provision.Platforms.empty(clock)
    deployers = platforms.add(targets)
    for number, (name, target) in enumerate(targets.items()):
        before = {one: platforms.live(other) for one, other in targets.items()}
        stage = {
            "image": f"registry.example/x:{number}",
            "version": f"v9.{number}.0",
            "sha": "abc",
            "deployment_id": "d",
        }
        stage["strategy"] = "rolling"
        for step in STEPS:
            stage |= deployers[name].carry_out(step, stage)
        clock.sleep(20)  # CodeDeploy's takes its time
        after = {one: platforms.live(other) for one, other in targets.items()}
        assert [one for one in targets if after[one] != before[one]] == [name]
        assert after[name] in (stage["image"], stage["version"]), target.kind


def test_each_event_starts_one_run_in_a_repository_that_is_there_once(targets: dict[str, Target]) -> None:
    from fakes.github.listening import listening

    repositories = provision.repositories(targets, 1_700_000_000.0)
    github = GitHub(Clock(1000), repositories=repositories)
    assert (
        len({one.full_name.lower() for one in repositories}) == len(repositories) == len({r.id for r in repositories})
    )
    for target in targets.values():
        found = listening(github.repository(*target.repository.split("/")), target.event_type)
        assert [one.claims for one in found] == [target.claim], target.name
        assert found[0].named


def test_whoever_asks_finds_enough_people_who_may_decide(targets: dict[str, Target]) -> None:
    space = Slack(Clock()).space
    people.introduce(space, targets, "C07OTHER1")
    shown = {one.id for one in people.actors(space, targets)}
    for target in targets.values():
        cast = people.cast(space, target)
        if target.policy.deploy_approval:
            assert len(cast.deciders) >= target.policy.quorum, target.name
        assert {cast.requester, *cast.deciders} <= shown & space.users.keys() & space.channels["C07OTHER1"].members
        assert people.requesters(space, target) == [] or cast.requester in people.requesters(space, target)


def test_the_text_is_read_as_the_same_targets(targets: dict[str, Target], tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text(targets_text.text(targets), "utf-8")
    assert targets_file.load(file, {}) == targets


def test_a_scenario_takes_the_default_target_if_that_fits_else_the_first_that_does() -> None:
    local, own = (targets_file.load(FILES[name], ENV) for name in ("local", "own"))
    assert (ALL["happy"].target(local), ALL["codedeploy-fails"].target(local)) == ("dev", "batch")
    assert (ALL["happy"].target(own), ALL["codedeploy-fails"].target(own)) == ("web", "jobs")
    hosts = {"kiosk": own["kiosk"]}
    assert ALL["rollback-command"].target(hosts) == "kiosk"
    with pytest.raises(NoTarget, match=r"^The scenario promote needs a target with ecs; there are kiosk \(neither"):
        ALL["promote"].target(hosts)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(quorum=9),
        Policy(approvers=("U07CFO001",), quorum=2),
        Policy(approvers=("U07CFO001",), quorum=2, own_approval=True, requesters=("U07CFO001",)),
        Policy(approvers=("U07CFO001",), requesters=("U07CFO001",)),
        Policy(approvers=("U0LEE0001", "U0KIM0001"), requesters=("U0LEE0001", "U0KIM0001"), quorum=2),
        Policy(approvers=("U0DANA001", "U0OUT0001", "U0LEE0001"), quorum=3),
        Policy(approvers=("U07CFO001",), requester_groups=("S07BILLERS",), quorum=3),
        Policy(approver_groups=("S07FINANCE",), requesters=("U0LEE0001",), quorum=5),
    ],
    ids=str,
)
def test_a_scenario_has_enough_approvers_whoever_the_file_names(policy: Policy) -> None:
    given = {"only": Target("only", "acme/x", "only_deploy", cluster="c", service="s", policy=policy)}
    one = ALL["happy"].fitted(given)["only"]
    assert set(policy.approvers) <= set(one.policy.approvers)
    assert (one.policy.requesters, one.policy.requester_groups) == (policy.requesters, policy.requester_groups)
    space = Slack(Clock()).space
    people.introduce(space, {"only": one}, "C07OTHER1")
    assert len(people.cast(space, one).deciders) >= one.policy.quorum >= 1


def test_approvers_who_are_enough_stay_as_they_are() -> None:
    for policy in (Policy(approvers=("U07CFO001", "W07BOSS01"), quorum=2), Policy(approvers=("U07CFO001",))):
        assert people.enough(policy) == policy


@pytest.mark.parametrize("error", [TimeoutError("no such button"), LookupError("no such button")])
def test_a_scenario_that_goes_another_way_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(*_: object) -> None:
        raise error

    monkeypatch.setattr(demo, "play", play)
    monkeypatch.setattr(settings, "ignore_aws_files", lambda: None)
    assert demo.main(["happy"]) == 1
    assert capsys.readouterr().err == "The scenario went another way, and was left: no such button\n"


@pytest.mark.parametrize("name", ALL)
def test_a_scenario_changes_nothing_but_its_own_target(name: str) -> None:
    own = targets_file.load(FILES["own"], ENV)
    target, fitted = ALL[name].target(own), ALL[name].fitted(own)
    assert {**fitted, target: own[target]} == own
    one = fitted[target]
    assert (one.policy.deploy_approval, one.freeze, one.strategy) == (ALL[name].approval, (), ALL[name].strategy)
    assert one.policy.approvers or one.policy.approver_groups
