"""A repository's git data: commits, branches, tags and releases, and the questions asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from fakes.github.model import Commit, Deployment, DeploymentStatus, Release, Tag, sha1

SHORTEST_SHA = 7


@dataclass(frozen=True)
class Comparison:
    """`head` seen from `base`: commits only in head (oldest first), how many only in base."""

    base: Commit
    head: Commit
    merge_base: Commit
    ahead: list[Commit]
    behind_by: int

    @property
    def status(self) -> str:
        """GitHub's word: identical, ahead, behind or diverged."""
        if not self.ahead:
            return "behind" if self.behind_by else "identical"
        return "diverged" if self.behind_by else "ahead"


@dataclass
class Environment:
    """An environment. `secrets`: their names. `limited`: it admits chosen branches only. `reviewers`: logins of those
    of whom one has to approve each run."""

    variables: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    limited: bool = True
    reviewers: tuple[str, ...] = ()


REVIEWED: tuple[dict[str, object], ...] = (
    {
        "type": "pull_request",
        "parameters": {
            "dismiss_stale_reviews_on_push": True,
            "require_code_owner_review": True,
            "require_last_push_approval": True,
            "required_approving_review_count": 1,
            "required_review_thread_resolution": False,
        },
    },
)
"""The rules of a branch that changes by reviewed pull requests only."""


@dataclass
class Repository:
    """One repository; `hidden` makes it private to somebody else: GitHub then says 404, not 403.

    `push`: whether the token's user may write. `files`: by branch, texts by path. `workflow_states`: by path, where one
    is not `active`. `actions_enabled`, `allowed_actions` (all, local_only, selected) and `github_owned_allowed` are the
    settings of Actions. `former_names` redirect here. `immutable_subject` and `subject_keys` (empty: GitHub's own form)
    are those of its OIDC tokens. `protection_rules`: by environment in small letters, slugs of the Apps that decide.
    `personal`: its owner is a user, not an organisation. `variables` and `secrets` (names) are the repository's own;
    `environments`, by name in small letters, those that differ from a usual one (None: there is none). `rules`: of the
    default branch.
    """

    owner: str
    name: str
    id: int = 704_218_356
    default_branch: str = "main"
    private: bool = True
    hidden: bool = False
    archived: bool = False
    disabled: bool = False
    push: bool = True
    actions_enabled: bool = True
    allowed_actions: str = "all"
    github_owned_allowed: bool = True
    former_names: frozenset[str] = frozenset()
    created: float = 1_690_000_000
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    workflow_states: dict[str, str] = field(default_factory=dict)
    immutable_subject: bool = False
    subject_keys: tuple[str, ...] = ()
    protection_rules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    personal: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    environments: dict[str, Environment | None] = field(default_factory=dict)
    rules: tuple[dict[str, object], ...] = REVIEWED

    def environment(self, name: str) -> Environment | None:
        """The environment of that name, in any capitals; None where there is none."""
        return self.environments.get(name.lower(), Environment())

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    def add_commit(
        self,
        message: str,
        date: float,
        *,
        branch: str | None = None,
        login: str = "dana",
        files: tuple[str, ...] = ("src/app.py",),
        pull: int | None = None,
    ) -> Commit:
        """Put a commit on a branch (default: the default one; a new branch starts at its head)."""
        branch = branch or self.default_branch
        parent = self.branches.get(branch) or self.branches.get(self.default_branch)
        sha = sha1(self.full_name, parent or "", branch, message, str(len(self.commits)))
        commit = Commit(sha, message, (parent,) if parent else (), date, login, files, pull)
        self.commits[sha] = commit
        self.branches[branch] = sha
        return commit

    def add_fork_commit(self, message: str, date: float, login: str = "mallory") -> Commit:
        """A commit that only a fork has. GitHub keeps the objects of a repository and of its forks together and serves
        all of them under each one's address; no branch and no tag here leads to this one."""
        parent = self.branches[self.default_branch]
        commit = Commit(sha1(self.full_name, parent, "fork", message), message, (parent,), date, login)
        self.commits[commit.sha] = commit
        return commit

    def head(self) -> Commit:
        """The head of the default branch."""
        return self.commits[self.branches[self.default_branch]]

    def resolve(self, ref: str) -> Commit | None:
        """The commit a ref names: `heads/x`, `tags/x`, a branch, a tag, a full or an abbreviated sha."""
        ref = ref.removeprefix("refs/")
        tag = self.tags.get(ref.removeprefix("tags/"))
        branch = self.branches.get(ref.removeprefix("heads/"))
        # A name that is both goes to the branch first, as in GitHub's own resolution of short names.
        named = branch if branch and not ref.startswith("tags/") else (tag.sha if tag else None)
        if named:
            return self.commits[named]
        if ref in self.commits:
            return self.commits[ref]
        found = [sha for sha in self.commits if len(ref) >= SHORTEST_SHA and sha.startswith(ref.lower())]
        return self.commits[found[0]] if len(found) == 1 else None

    def history(self, sha: str) -> list[Commit]:
        """The commit and all its ancestors, newest first."""
        seen: dict[str, Commit] = {}
        waiting = [sha]
        while waiting:
            commit = self.commits[waiting.pop()]
            if commit.sha not in seen:
                seen[commit.sha] = commit
                waiting.extend(commit.parents)
        return list(seen.values())

    def compare(self, base: str, head: str) -> Comparison | None:
        """Three-dot comparison of two refs; None when either is unknown or they share no history."""
        left, right = self.resolve(base), self.resolve(head)
        if left is None or right is None:
            return None
        left_history = {commit.sha for commit in self.history(left.sha)}
        right_history = self.history(right.sha)
        shared = [commit for commit in right_history if commit.sha in left_history]
        if not shared:
            return None
        ahead = [commit for commit in reversed(right_history) if commit.sha not in left_history]
        return Comparison(left, right, shared[0], ahead, len(left_history) - len(shared))

    def latest_release(self) -> Release | None:
        """Newest by the date of its commit, drafts and prereleases aside.

        https://docs.github.com/rest/releases/releases#get-the-latest-release
        """
        real = [release for release in self.releases if not release.draft and not release.prerelease]
        return max(real, key=lambda release: (release.created, release.id), default=None)

    def replaced_by(self, success: Deployment, now: float) -> None:
        """What was live in its environment before is not any more; production environments are left as they are.

        https://docs.github.com/rest/deployments/statuses#create-a-deployment-status (`auto_inactive`)
        """
        for it in self.deployments[: self.deployments.index(success)]:
            others = it.transient or it.production or it.environment != success.environment
            if it.state == "success" and not others:
                it.statuses.append(DeploymentStatus("inactive", "", "", now))
