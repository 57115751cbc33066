"""Approvers and requesters of several targets, and a GitHub App's own faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    return [(one.result.state, one.result.found) for one in look(changes, check)]


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


@pytest.fixture
def app(made: Session) -> Installed:
    """An App that is the only way into GitHub."""
    made.github.tokens = set()
    installed: Installed = made.github.apps.install(made.github.apps.register(APP_ID, private_key()), "acme")
    return installed


def wrong(look: Look, **changes: str) -> list[tuple[str, State, str]]:
    found = look({"GITHUB_APP_ID": APP_ID, "GITHUB_APP_PRIVATE_KEY": private_key(), **changes})
    bad = (State.FAILED, State.WARNING)
    return [(one.check, one.result.state, one.result.found) for one in found if one.result.state in bad]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"suspended": True}, "is suspended"),
        ({"repositories": frozenset({"other"})}, "The App is not installed on acme/checkout-api (404"),
        ({"contents": "read"}, "lacks Contents: read and write"),
        ({"actions": "read"}, "lacks Actions: read and write"),
    ],
)
def test_an_apps_faults_are_found_by_its_check_alone(
    app: Installed, look: Look, fault: dict[str, Any], says: str
) -> None:
    for name, value in fault.items():
        if hasattr(app, name):
            setattr(app, name, value)
        else:
            app.permissions = {**app.permissions, name: value}
    ((check, state, found),) = wrong(look)
    assert (check, state) == ("GitHub App", State.FAILED)
    assert says in found


def test_an_apps_key_that_is_anothers_or_none_is_told_without_a_word_of_it(app: Installed, look: Look) -> None:
    no_key = "-----BEGIN RSA PRIVATE KEY-----\nnonsense"
    for key, says in ((private_key(2), "does not take the App's signature (401"), (no_key, "isn't a usable key")):
        ((check, state, found),) = wrong(look, GITHUB_APP_PRIVATE_KEY=key)
        assert (check, state) == ("GitHub App", State.FAILED)
        assert says in found
        assert "nonsense" not in found


def test_an_app_that_may_not_write_deployments_is_a_warning(app: Installed, look: Look) -> None:
    ((check, state, _),) = wrong(look, GITHUB_DEPLOYMENTS="true")
    assert (check, state) == ("GitHub deployments", State.WARNING)
    app.permissions = {**app.permissions, "deployments": "write"}
    assert wrong(look, GITHUB_DEPLOYMENTS="true") == []
