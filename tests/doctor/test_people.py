"""Approvers and requesters of several targets, and a GitHub App's own faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.checks import slack_app
from doctor.result import State
from fakes.github.apps import Installation as Installed
from fakes.slack.directory import S_APPROVERS, U_GUEST
from local.session import Session
from tests.app_key import APP_ID, private_key
from tests.doctor.conftest import Look

pytestmark = pytest.mark.slow

POLICY = "targets:\n  dev:\n    ecs: {{cluster: checkout, service: checkout-api}}\n    policy: {{{}}}\n"


def said(look: Look, check: str, changes: dict[str, str]) -> list[tuple[State, str]]:
    return [(one.result.state, one.result.found) for one in look(changes) if one.check == check]


@pytest.mark.parametrize(
    ("policy", "state", "says"),
    [
        (f"approver_groups: [{S_APPROVERS}], quorum: 3", State.FAILED, "dev wants 3 approvals and names 2 approvers."),
        (f"approver_groups: [{S_APPROVERS}], quorum: 2", State.WARNING, "dev wants 2 of 2 approvers."),
        (f"approver_groups: [{S_APPROVERS}], quorum: 2, own_approval: true", State.OK, "All 1 people and groups"),
        (f"requesters: [{U_GUEST}]", State.FAILED, "Gina Rossi (U0GUEST01), requester of dev, is a guest"),
        ("approvers: [U0GUEST01, U0LEE0001]", State.OK, "All 2 people"),
        ("deploy_approval: false, rollback_approval: false, approvers: []", State.SKIPPED, "No target names anybody."),
    ],
)
def test_a_policy_must_be_one_that_people_can_keep(
    look: Look, tmp_path: Path, policy: str, state: State, says: str
) -> None:
    (tmp_path / "targets.yaml").write_text(POLICY.format(policy))
    changes = {"CHATOPS_TARGETS_FILE": str(tmp_path / "targets.yaml"), "SLACK_APPROVERS": ""}
    ((found, text),) = said(look, "Slack people", changes)
    assert found is state
    assert text.startswith(says)


def test_the_scope_for_groups_is_wanted_only_where_a_group_is_named(look: Look, made: Session) -> None:
    made.slack.scopes.discard("usergroups:read")
    assert [state for state, _ in said(look, "Slack app", {})] == [State.OK]
    assert [state for state, _ in said(look, "Slack app", {"SLACK_APPROVERS": S_APPROVERS})] == [State.FAILED]


def test_the_manifests_scopes_all_have_their_reason() -> None:
    assert set(slack_app.manifest()) == set(slack_app._USES)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("key", "does not take the App's signature (401"),
        ("elsewhere", "The App is not installed on acme/checkout-api (404"),
        ("suspended", "is suspended"),
        ("contents", "lacks Contents: read and write"),
        ("actions", "lacks Actions: read and write"),
    ],
)
def test_an_apps_faults_are_found_by_its_check_alone(made: Session, look: Look, fault: str, says: str) -> None:
    app = made.github.apps.register(APP_ID, private_key())
    installed: Installed = made.github.apps.install(app, "acme")
    made.github.tokens = set()
    changes = {"GITHUB_APP_ID": APP_ID, "GITHUB_APP_PRIVATE_KEY": private_key(2 if fault == "key" else 1)}
    if fault == "elsewhere":
        installed.repositories = frozenset({"other"})
    elif fault == "suspended":
        installed.suspended = True
    elif fault in ("contents", "actions"):
        installed.permissions = {**installed.permissions, fault: "read"}
    wrong = [one for one in look(changes) if one.result.state in (State.FAILED, State.WARNING)]
    assert [one.check for one in wrong] == ["GitHub App"]
    assert says in wrong[0].result.found


@pytest.mark.parametrize("granted", [True, False])
def test_an_app_that_may_not_write_deployments_is_a_warning(made: Session, look: Look, granted: bool) -> None:
    app = made.github.apps.register(APP_ID, private_key())
    installed: Installed = made.github.apps.install(app, "acme")
    if granted:
        installed.permissions = {**installed.permissions, "deployments": "write"}
    changes = {"GITHUB_APP_ID": APP_ID, "GITHUB_APP_PRIVATE_KEY": private_key(), "GITHUB_DEPLOYMENTS": "true"}
    wrong = [one for one in look(changes) if one.result.state in (State.FAILED, State.WARNING)]
    assert [(one.check, one.result.state) for one in wrong] == (
        [] if granted else [("GitHub deployments", State.WARNING)]
    )


def test_a_key_that_is_none_is_told_without_a_word_of_it(look: Look) -> None:
    changes = {"GITHUB_APP_ID": APP_ID, "GITHUB_APP_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----\nnonsense"}
    wrong = [one for one in look(changes) if one.result.state is State.FAILED]
    assert [one.check for one in wrong] == ["GitHub App"]
    assert "isn't a usable key" in wrong[0].result.found
    assert "nonsense" not in repr(wrong)
