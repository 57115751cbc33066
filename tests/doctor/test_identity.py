"""As whom a repository's jobs sign in, as GitHub's REST API lets one know it, and the roles that trust that."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from doctor.checks import identity as check
from doctor.clients import Answer
from doctor.installation import Installation
from doctor.result import Result, State
from doctor.runner import Check, Scope, examine
from doctor.subject import identity
from pipeline.caller import OWN, PIPELINE, caller
from tests.contract.test_oidc_trust import trusts
from tests.doctor.stubs import Stubbed
from tests.doctor.test_deployed import STORED

REPOSITORY: dict[str, Any] = {
    "full_name": "Acme/Shop",
    "id": 456,
    "owner": {"login": "Acme", "id": 123},
    "default_branch": "main",
    "created_at": "2024-02-03T04:05:06Z",
    "visibility": "private",
}
USES = f"acme/platform-deploy/{PIPELINE}@{'0' * 40}"
CLASSIC, IMMUTABLE = "repo:Acme/Shop:environment:dev", "repo:Acme@123/Shop@456:environment:dev"


DEFAULT: dict[str, Any] = {"use_default": True}


def own(*keys: str, **more: bool) -> dict[str, Any]:
    """A repository's own template."""
    return {"use_default": False, "include_claim_keys": list(keys), **more}


@pytest.mark.parametrize(
    ("created", "template", "subjects"),
    [
        # GitHub's own word
        ("", DEFAULT | {"sub_claim_prefix": "repo:Acme/Shop"}, (CLASSIC,)),
        ("", DEFAULT | {"sub_claim_prefix": "repo:Acme@123/Shop@456"}, (IMMUTABLE,)),
        ("", DEFAULT | {"sub_claim_prefix": "repo:Acme@123/Shop@456:"}, (IMMUTABLE,)),
        ("", DEFAULT | {"use_immutable_subject": True}, (IMMUTABLE,)),
        ("", DEFAULT | {"use_immutable_subject": False}, (CLASSIC,)),
        ("", own("repo", "context"), (CLASSIC, IMMUTABLE)),
        # where it says nothing: by age; an older repository may have been renamed or transferred since
        ("", DEFAULT, (CLASSIC, IMMUTABLE)),
        ("", None, (CLASSIC, IMMUTABLE)),
        ("2026-07-15T00:00:00Z", DEFAULT, (IMMUTABLE,)),
        ("2026-11-01T00:00:00Z", None, (IMMUTABLE,)),
        ("2026-11-01T00:00:00Z", DEFAULT | {"use_immutable_subject": False}, (CLASSIC,)),
        # customised
        (
            "",
            own("repo", "ref", "context", use_immutable_subject=False),
            ("repo:Acme/Shop:ref:refs/heads/main:environment:dev",),
        ),
        (
            "",
            own("repository_id", "job_workflow_ref", use_immutable_subject=True),
            ("repository_id:456:job_workflow_ref:…",),
        ),
        # nothing in it depends on what is not known: said once
        ("", own("repository_id", "environment"), ("repository_id:456:environment:dev",)),
    ],
)
def test_the_subject_is_made_as_github_makes_it(
    created: str, template: dict[str, Any] | None, subjects: tuple[str, ...]
) -> None:
    found = identity(REPOSITORY | ({"created_at": created} if created else {}), template, "dev")
    assert (found.subjects, found.ids, found.organisation) == (subjects, "Acme@123/Shop@456", False)


def test_an_organisations_template_is_not_known_and_a_colon_separates_nothing() -> None:
    assert identity(REPOSITORY, {"use_default": False}, "dev").organisation
    assert all("sub" not in token for token in identity(REPOSITORY, {"use_default": False}, "dev").tokens())
    (subject,) = identity(REPOSITORY, DEFAULT | {"use_immutable_subject": False}, "eu:1").subjects
    assert subject == "repo:Acme/Shop:environment:eu%3A1"


@dataclass
class Told:
    """GitHub, as far as this check asks."""

    template: Answer
    uses: str = USES
    repository_body: dict[str, Any] = field(default_factory=lambda: REPOSITORY)

    def repository(self, name: str, path: str = "", **_: str) -> Answer:
        assert name == "Acme/Shop"
        if path.startswith("/contents/"):
            return self._content(path)
        assert path in ("", "/actions/oidc/customization/sub")
        return self.template if path else answer(self.repository_body)

    def _content(self, path: str) -> Answer:
        """One workflow, which listens to dev's event and calls the pipeline."""
        place = ".github/workflows/dev_deploy.yml"
        if not path.endswith(".yml"):
            return answer([{"type": "file", "name": "dev_deploy.yml", "path": place}])
        text = caller("dev", "dev_deploy", self.uses) if self.uses else OWN.read_text("utf-8")
        return answer({"content": base64.b64encode(text.encode()).decode()})


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


def role(name: str, policy: dict[str, Any]) -> dict[str, Any]:
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": "AROAEXAMPLEEXAMPLE00",
        "Arn": f"arn:aws:iam::123456789012:role/{name}",
        "CreateDate": 1_760_000_000,
        "AssumeRolePolicyDocument": quote(json.dumps(policy)),
    }


LAMBDA = role("plan", {"Statement": [{"Effect": "Allow", "Principal": {"Service": "l"}, "Action": "sts:AssumeRole"}]})
Look = Callable[..., list[Result]]
TARGET = "targets:\n  dev:\n    repository: Acme/Shop\n    ecs: {cluster: shop, service: shop}\n"


@pytest.fixture
def look(tmp_path: Any) -> Look:
    """What is said of dev-build, then of dev."""

    def looked(
        template: dict[str, Any] | None,
        roles: list[dict[str, Any]] | None,
        target: str = TARGET,
        uses: str = USES,
    ) -> list[Result]:
        (tmp_path / "targets.yaml").write_text(target)
        listed = {"Roles": deepcopy(roles), "IsTruncated": False} if roles is not None else {"code": "AccessDenied"}
        env = {"AWS_REGION": "us-east-1", "CHATOPS_TARGETS_FILE": str(tmp_path / "targets.yaml")}
        found = Installation(env=env, secrets=STORED, aws=Stubbed({"iam": {"list_roles": listed}}))
        said = answer(template) if template is not None else answer({"message": "Not Found"}, 404)
        found.__dict__["github"] = Told(said, uses)
        return [one.result for one in examine(found, [Check("AWS sign-in", Scope.TARGET, check.look)])]

    return looked


KEY = "token.actions.githubusercontent.com"
STATEMENT = trusts("dev", "a@1/b@2")["dev"]["Statement"][0]


def mine(environment: str = "dev", repository: str = "acme@123/shop@456", **parameters: str) -> list[dict[str, Any]]:
    """The two roles of the template."""
    made = trusts(environment, repository, **parameters)
    return [role(f"mine-{place}", policy) for place, policy in made.items()]


def by_hand(name: str, conditions: dict[str, dict[str, str]]) -> dict[str, Any]:
    keyed = {operator: {f"{KEY}:{key}": text for key, text in keys.items()} for operator, keys in conditions.items()}
    return role(name, {"Statement": [{**STATEMENT, "Condition": keyed}]})


@pytest.mark.parametrize(
    ("immutable", "repository", "uses"),
    [
        (False, "acme@123/shop@456", USES),
        (True, "ACME@123/Shop@456", USES),
        (True, "acme@123/shop@456", f"$/{PIPELINE}"),
        (False, "ACME@123/Shop@456", ""),
    ],
)
def test_the_roles_of_the_template_are_found(look: Look, immutable: bool, repository: str, uses: str) -> None:
    workflow = f"{'acme/platform-deploy' if uses == USES else 'Acme/Shop'}/{PIPELINE}@*"
    roles = [LAMBDA, *mine("prod", repository, Workflow=workflow), *mine("dev", repository, Workflow=workflow)]
    said = look(DEFAULT | {"use_immutable_subject": immutable}, roles, uses=uses)
    build, builds, release, releases = said
    assert (IMMUTABLE if immutable else CLASSIC) in release.found
    assert (f"{IMMUTABLE}-build" if immutable else f"{CLASSIC}-build") in build.found
    assert "Acme@123/Shop@456" in build.found, "what can be typed into the template"
    assert (builds.state, builds.found) == (State.OK, "The role mine-dev-build of the stack's account trusts that.")
    assert (releases.state, releases.found) == (State.OK, "The role mine-dev of the stack's account trusts that.")


def test_a_role_for_another_workflow_branch_or_repository_is_not_it(look: Look) -> None:
    for other in (
        mine(Workflow=f"acme/other/{PIPELINE}@*"),
        mine(DefaultBranch="trunk"),
        mine(repository="acme@123/shop@457"),
        mine("prod"),
    ):
        _, build, _, release = look(DEFAULT | {"use_immutable_subject": True}, other)
        assert (build.state, release.state) == (State.WARNING, State.WARNING)
        assert "No role of the stack's account trusts dev's jobs in the environment dev-build" in build.found
        assert (
            f"Repository=Acme@123/Shop@456 Environment=dev Workflow='acme/platform-deploy/{PIPELINE}@*'" in build.todo
        )
        assert "BuildRoleArn into the environment's secret AWS_BUILD_ROLE_ARN" in build.todo
        assert "RoleArn into the environment's secret AWS_ROLE_ARN" in release.todo


def test_a_role_must_trust_whichever_subject_it_is_with_githubs_spelling(look: Look) -> None:
    """As people wrote it by hand: the claim has GitHub's capitals."""
    typed = by_hand("typed", {"StringEquals": {"aud": "sts.amazonaws.com", "sub": "repo:acme/shop:environment:dev"}})
    *_, told = look(DEFAULT | {"use_immutable_subject": False}, [LAMBDA, typed])
    assert told.state is State.WARNING
    assert "in the environment dev (The role typed trusts others" in told.found
    # GitHub did not say which form it sends
    *_, subject, told = look(None, [by_hand("old", {"StringEquals": {"sub": CLASSIC}})])
    assert f"{CLASSIC} or {IMMUTABLE}" in subject.found
    assert told.state is State.WARNING


def test_what_depends_on_the_run_is_not_guessed(look: Look) -> None:
    """A tag of another repository may be anything by then, and who started the run is not known before."""
    called = f"acme/platform-deploy/{PIPELINE}@v1"
    *_, told = look(DEFAULT | {"use_immutable_subject": False}, mine(), uses=called)
    assert (told.state, "The role mine-dev may trust that" in told.found) == (State.SKIPPED, True)
    pinned = by_hand("pinned", {"StringLike": {"sub": "repo:Acme/*", "actor": "dana"}})
    *_, told = look(DEFAULT | {"use_immutable_subject": False}, [pinned])
    assert (told.state, "The role pinned may trust that" in told.found) == (State.SKIPPED, True)


def test_a_customised_subject_is_told_unless_a_role_trusts_it(look: Look) -> None:
    template = own("repo", "ref", use_immutable_subject=False)
    *_, told = look(template, mine())
    assert told.state is State.WARNING
    assert "a subject of its own (repo, ref)" in told.found
    assert "gh api -X PUT repos/Acme/Shop/actions/oidc/customization/sub -F use_default=true" in told.todo
    theirs = by_hand("own", {"StringEquals": {"sub": "repo:Acme/Shop:ref:refs/heads/main"}})
    *_, known = look(template, [*mine(), theirs])
    assert (known.state, "The role own" in known.found) == (State.OK, True)
    *_, left, warned = look(template, None)
    assert (left.state, warned.state) == (State.SKIPPED, State.WARNING)
    # keys that make the usual subject are no customisation: nothing is warned of where no role can be seen either
    for key in ("context", "environment"):
        *_, subject, left = look(own("repo", key, use_immutable_subject=True), None)
        assert IMMUTABLE in subject.found
        assert left.state is State.SKIPPED


def test_what_cannot_be_seen_is_left_out(look: Look) -> None:
    *_, subject, told = look(DEFAULT | {"use_immutable_subject": True}, None)
    assert (subject.state, told.state) == (State.OK, State.SKIPPED)
    assert "you may not call iam:ListRoles" in told.found
    elsewhere = TARGET + "    role_arn: arn:aws:iam::210987654321:role/chatops-target-dev\n"
    *_, fake = look(DEFAULT, [], elsewhere)
    assert (fake.state, "role/chatops-target-dev" in fake.found) == (State.SKIPPED, True)
    (template,) = look({"use_default": False}, [])
    assert (template.state, "its organisation's template" in template.found) == (State.SKIPPED, True)
    *_, host = look(DEFAULT, [], "targets:\n  dev:\n    repository: Acme/Shop\n")
    assert host.state is State.OK, "a host over SSH needs no role"
