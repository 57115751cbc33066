"""The GitHub fake's git: resolving refs, comparing, releases, and the dates of the run filter."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.clock import Clock
from fakes.github import GitHub
from fakes.github.errors import ApiError
from fakes.github.filters import created_test

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def github() -> GitHub:
    """A fake nobody listens to."""
    return GitHub(Clock())


def test_the_repository_begins_with_its_versions(github: GitHub) -> None:
    tags = github.default_repository.tags
    assert list(tags) == ["v1.0.0", "v1.1.0", "v1.2.0", "v1.2.1", "v1.2.2", "v1.2.3", "v1.3.0"]
    assert len({tag.sha for tag in tags.values()}) == len(tags)
    assert tags["v1.3.0"].sha != github.default_repository.head().sha


def test_two_stand_ins_have_the_same_commits(github: GitHub) -> None:
    assert github.default_repository.head().sha == GitHub(Clock()).default_repository.head().sha


def test_refs_resolve_by_branch_tag_and_sha(github: GitHub) -> None:
    repository = github.default_repository
    sha = repository.tags["v1.2.3"].sha
    for ref in ("v1.2.3", "tags/v1.2.3", "refs/tags/v1.2.3", sha, sha[:7], sha[:12].upper()):
        assert repository.resolve(ref) == repository.commits[sha], ref
    for ref in ("main", "heads/main"):
        assert repository.resolve(ref) == repository.head()
    for ref in ("v9", sha[:6], "heads/v1.2.3", "0" * 40):
        assert repository.resolve(ref) is None, ref


def test_a_moved_tag_points_elsewhere(github: GitHub) -> None:
    commit = github.add_commit("Sneak this in")
    github.move_tag("v1.2.3", commit.sha)
    assert github.default_repository.resolve("v1.2.3") == commit


def test_comparisons_know_all_four_relations(github: GitHub) -> None:
    repository = github.default_repository
    github.add_commit("On the side", branch="side")
    github.add_commit("On the main line")
    found = {
        (base, head): (compared.status, len(compared.ahead), compared.behind_by)
        for base, head in [("v1.2.3", "v1.3.0"), ("v1.3.0", "v1.2.3"), ("main", "main"), ("side", "main")]
        if (compared := repository.compare(base, head))
    }
    assert found == {
        ("v1.2.3", "v1.3.0"): ("ahead", 2, 0),
        ("v1.3.0", "v1.2.3"): ("behind", 0, 2),
        ("main", "main"): ("identical", 0, 0),
        ("side", "main"): ("diverged", 1, 1),
    }
    ahead = repository.compare("v1.2.3", "v1.3.0")
    assert ahead is not None
    assert ahead.ahead[-1] == ahead.head


def test_the_latest_release_is_neither_draft_nor_prerelease(github: GitHub) -> None:
    github.add_commit()
    github.add_release("v3.0.0", draft=True)
    github.add_release("v2.0.0-rc1", prerelease=True)
    latest = github.default_repository.latest_release()
    assert latest is not None
    assert latest.tag == "v1.3.0"
    github.add_release("v2.0.0")
    latest = github.default_repository.latest_release()
    assert latest is not None
    assert latest.tag == "v2.0.0"


@pytest.mark.parametrize(
    ("query", "inside"),
    [
        ("2024-01-31", True),
        ("2024-01-30", False),
        (">=2024-01-31T12:00:00Z", True),
        (">2024-01-31T12:00:00Z", False),
        ("<=2024-01-31T13:00:00+01:00", True),
        # A plus sign that nobody encoded.
        ("<=2024-01-31T13:00:00 01:00", True),
        ("<2024-01-31T12:00:00Z", False),
        (">2024-01-30", True),
        (">2024-01-31", False),
        ("2024-01-30..2024-01-31", True),
        ("2024-02-01..*", False),
        ("*..2024-01-31", True),
    ],
)
def test_created_understands_githubs_dates(query: str, *, inside: bool) -> None:
    assert created_test(query)(NOON) is inside


def test_created_refuses_what_is_no_date() -> None:
    with pytest.raises(ApiError, match="created"):
        created_test(">=yesterday")


def test_a_comparison_is_what_git_itself_finds(github: GitHub, tmp_path: Path) -> None:
    """`behind` and `identical` are what git calls an ancestor: the rule by which a bare commit is admitted."""
    repository = github.default_repository
    github.add_commit("On the side", branch="side")
    github.add_commit("On the main line")
    repository.add_fork_commit("Elsewhere", github.clock.now())
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    empty = subprocess.run([*git, "mktree"], input="", capture_output=True, text=True, check=True).stdout.strip()
    made: dict[str, str] = {}
    for commit in repository.commits.values():  # parents come before their children
        parents = [word for parent in commit.parents for word in ("-p", made[parent])]
        words = [*git, "commit-tree", empty, "-m", commit.message, *parents]
        made[commit.sha] = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    main = repository.head().sha
    for sha in repository.commits:
        compared = repository.compare("main", sha)
        assert compared is not None
        contained = subprocess.run([*git, "merge-base", "--is-ancestor", made[sha], made[main]]).returncode == 0
        assert (compared.status in ("behind", "identical")) is contained, compared.head.message
