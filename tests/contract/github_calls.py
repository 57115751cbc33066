"""Every request that the product makes to GitHub, in one place. `test_github_calls_described.py` fails where the code
has one that is not here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chatops.domain.codec import SCHEMA
from chatops.domain.deployment import Deployment
from chatops.domain.target import Target
from chatops.github import deployments, runs, versions
from chatops.github.client import GitHub
from chatops.steps.dispatch import payload

REPO = "/repos/{owner}/{repo}"
SHA = "e3c8241a6e0881bad7a9721d12c6698a35e1e833"
RUN = 9001
ABSENT = frozenset({404, 409, 422})
"""What `find` takes for "there is none"."""
REFUSALS = ABSENT | {300, 301, 302, 307, 308, 400, 401, 403, 410, 418, 451}
"""What becomes GitHubRefused."""


@dataclass(frozen=True)
class Call:
    """One kind of request: how the product makes it, where GitHub's description has it, and its answer when all is
    well. `absent`: statuses that are an answer, too. `app`: the client acts as a GitHub App. `others`: what else is
    answered on the way there, by its place in the description: a body, or a status alone. `raises` False: whatever
    comes, nothing is raised."""

    method: str
    described: str
    make: Callable[[GitHub], object]
    good: Any = None
    status: int = 200
    absent: frozenset[int] = frozenset()
    app: bool = False
    others: Mapping[str, Any] = field(default_factory=dict)
    raises: bool = True

    @property
    def asks(self) -> bool:
        """Whether the answer's body is wanted."""
        return self.good is not None


def _run(**more: object) -> dict[str, object]:
    known = {"id": RUN, "run_number": 7, "html_url": "https://x", "status": "queued", "conclusion": None}
    return {**known, "run_attempt": 1, **more}


def event() -> Mapping[str, object]:
    """The payload of a deploy stage as `dispatch` makes it, with everything as long as it may be."""
    target = Target("t" * 40, "acme/checkout-api", "dev_deploy", strategy="codedeploy")
    plan = {
        "schema": SCHEMA,
        "version": "v" * 128,
        "sha": SHA,
        "previous": {"version": "v" * 128, "sha": SHA, "image": "i" * 512},
    }
    state = {"plan": plan, "build": {"outputs": {"image": "i" * 512}}}
    deployment = Deployment.of({"deployment_id": "d-" + "a" * 60, "state": state})
    return payload(deployment, "deploy", target, "T" * 43, shown=True)


_COMMIT = {
    "sha": SHA,
    "html_url": "https://x",
    "commit": {"message": "m", "committer": {"date": "2026-01-01T00:00:00Z"}},
}
_TAG = {"ref": "refs/tags/v1", "object": {"type": "commit", "sha": SHA}}
_TOKEN = "/app/installations/{installation_id}/access_tokens"
_GIVEN = {"token": "ghs_canaryInstallationT0ken", "expires_at": "2126-01-01T00:00:00Z"}
_HEAD = {"ref": "refs/heads/main", "object": {"type": "commit", "sha": SHA}}
_LATEST, _TAGS = f"{REPO}/releases/latest", f"{REPO}/tags"
_REF, _COMMITS = f"{REPO}/git/ref/{{ref}}", f"{REPO}/commits/{{ref}}"
_ACTIONS = f"{REPO}/actions/runs"
_DEPLOYMENTS = f"{REPO}/deployments"

CALLS: dict[str, Call] = {
    "repository": Call(
        "GET",
        REPO,
        versions.latest,
        {"default_branch": "main"},
        others={_LATEST: 404, _TAGS: [], _REF: _HEAD, _COMMITS: _COMMIT},
    ),
    "where runs come from": Call("GET", REPO, runs.origin, {"id": 704218356, "default_branch": "main"}),
    "where runs come from, if it changed": Call(
        "GET",
        REPO,
        lambda g: runs.origin(g, '"v1"'),
        {"id": 704218356, "default_branch": "main"},
        absent=frozenset({304}),
    ),
    "is the repository there": Call("GET", REPO, runs.deleted, {"default_branch": "main"}, absent=ABSENT, raises=False),
    "latest release": Call(
        "GET",
        _LATEST,
        versions.latest,
        {"tag_name": "v1"},
        absent=ABSENT,
        others={_TAGS: [{"name": "v1"}], _REF: _TAG, _COMMITS: _COMMIT},
    ),
    "tags": Call("GET", _TAGS, versions.latest, [{"name": "v1"}], others={_LATEST: 404, _REF: _TAG, _COMMITS: _COMMIT}),
    "releases": Call(
        "GET",
        f"{REPO}/releases",
        lambda g: versions.latest(g, "v*"),
        [{"tag_name": "v1", "draft": False, "prerelease": False}],
        others={_TAGS: [], _REF: _TAG, _COMMITS: _COMMIT},
    ),
    "tags alike": Call("GET", _TAGS, lambda g: versions.similar(g, "v2"), [{"name": "v1"}], absent=REFUSALS),
    "tag": Call(
        "GET",
        _REF,
        lambda g: versions._tag(g, "v1"),
        _TAG,
        absent=ABSENT,
        others={_COMMITS: _COMMIT},
    ),
    "annotated tag": Call(
        "GET",
        f"{REPO}/git/tags/{{tag_sha}}",
        lambda g: versions._tag(g, "v1"),
        {"object": {"type": "commit", "sha": SHA}},
        others={_REF: {**_TAG, "object": {"type": "tag", "sha": "a" * 40}}, _COMMITS: _COMMIT},
    ),
    "branch": Call("GET", _REF, lambda g: versions._head(g, "main"), _HEAD, absent=ABSENT),
    "commit": Call("GET", _COMMITS, lambda g: versions._commit(g, "v1", SHA), _COMMIT, absent=ABSENT),
    "compare": Call(
        "GET",
        f"{REPO}/compare/{{basehead}}",
        lambda g: versions.changes(g, SHA, "a" * 40),
        {"html_url": "https://x", "commits": [], "ahead_by": 0, "behind_by": 0},
        absent=ABSENT,
    ),
    "search for a run": Call(
        "GET", _ACTIONS, lambda g: runs.named(g, "d-1 build", 1_760_000_000.0), {"workflow_runs": [], "total_count": 0}
    ),
    "run": Call("GET", f"{_ACTIONS}/{{run_id}}", lambda g: runs.get(g, RUN), _run()),
    "run, if it changed": Call(
        "GET", f"{_ACTIONS}/{{run_id}}", lambda g: runs.get(g, RUN, '"v1"'), _run(), absent=frozenset({304})
    ),
    "first attempt": Call(
        "GET",
        f"{_ACTIONS}/{{run_id}}/attempts/{{attempt_number}}",
        lambda g: runs.get(g, RUN),
        _run(),
        others={f"{_ACTIONS}/{{run_id}}": _run(run_attempt=2)},
    ),
    "jobs": Call(
        "GET", f"{_ACTIONS}/{{run_id}}/attempts/{{attempt_number}}/jobs", lambda g: runs.jobs(g, RUN), {"jobs": []}
    ),
    "jobs, if they changed": Call(
        "GET",
        f"{_ACTIONS}/{{run_id}}/attempts/{{attempt_number}}/jobs",
        lambda g: runs.jobs(g, RUN, '"v1"'),
        {"jobs": []},
        absent=frozenset({304}),
    ),
    "what a run waits for": Call(
        "GET",
        f"{_ACTIONS}/{{run_id}}/pending_deployments",
        lambda g: runs.review(g, RUN),
        [{"environment": {"name": "dev"}, "reviewers": [{"type": "User", "reviewer": {"login": "kim"}}]}],
        absent=REFUSALS,
        raises=False,
    ),
    "is the workflow enabled": Call(
        "GET",
        f"{REPO}/actions/workflows/{{workflow_id}}",
        lambda g: runs.disabled(g, ".github/workflows/dev_deploy.yml"),
        {"state": "active"},
        absent=REFUSALS,
        raises=False,
    ),
    "force_cancel": Call(
        "POST",
        f"{_ACTIONS}/{{run_id}}/force-cancel",
        lambda g: runs.force_cancel(g, RUN),
        status=202,
        absent=frozenset({409}),
    ),
    "cancel": Call(
        "POST", f"{_ACTIONS}/{{run_id}}/cancel", lambda g: runs.cancel(g, RUN), status=202, absent=frozenset({409})
    ),
    "dispatch": Call("POST", f"{REPO}/dispatches", lambda g: runs.dispatch(g, "dev_deploy", event()), status=204),
    "search for a deployment": Call(
        "GET",
        _DEPLOYMENTS,
        lambda g: deployments.find(g, "d-1", SHA, "dev"),
        [{"id": 42, "payload": {"deployment_id": "d-1"}}],
    ),
    "deployment": Call(
        "POST", _DEPLOYMENTS, lambda g: deployments.create(g, "d-1", SHA, "dev", "v1" * 100), {"id": 42}, status=201
    ),
    "status of a deployment": Call(
        "POST",
        f"{_DEPLOYMENTS}/{{deployment_id}}/statuses",
        lambda g: deployments.report(g, 42, "in_progress", "v1" * 100, "https://x"),
        status=201,
    ),
    "installation": Call(
        "GET",
        f"{REPO}/installation",
        lambda g: g.get(""),
        {"id": 5},
        app=True,
        others={_TOKEN: _GIVEN, REPO: {"id": 1}},
    ),
    "installation token": Call(
        "POST",
        _TOKEN,
        lambda g: g.get(""),
        _GIVEN,
        status=201,
        app=True,
        others={f"{REPO}/installation": {"id": 5}, REPO: {"id": 1}},
    ),
}


def place(method: str, path: str) -> str:
    """Where the description has a request's path; of several the one with the fewest parameters. Raises LookupError."""
    known = {(each.method, each.described) for each in CALLS.values()}
    known |= {("GET", described) for each in CALLS.values() for described in each.others if described != _TOKEN}
    fitting = [d for m, d in known if m == method and _pattern(d).fullmatch(path)]
    if not fitting:
        raise LookupError(f"{method} {path} is not among the product's requests")
    return min(fitting, key=lambda described: (described.count("{"), -len(described)))


def _pattern(described: str) -> re.Pattern[str]:
    """Refs keep their slashes, other parameters have none."""
    return re.compile(re.sub(r"\{(\w+)\}", lambda m: ".+" if m[1] in ("ref", "basehead") else "[^/]+", described))
