"""Version to commit: a tag, a release or a commit; resolved once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import pytest

from chatops.domain.command_text import is_version
from chatops.domain.errors import GitHubRefused, Refusal
from chatops.domain.version_order import admits, is_older, newest
from chatops.github import replies, versions

SHA = {name: name[0] * 40 for name in ("a1", "b2", "c3", "f0")}


class Fake:
    """GitHub with memory: tags (name -> sha, or annotated), branches, commits, releases."""

    def __init__(self) -> None:
        self.commits = dict.fromkeys(SHA.values(), "Merge pull request #12 from acme/x\n\nbody")
        self.tags: dict[str, str] = {}
        self.annotated: set[str] = set()
        self.branches = {"main": SHA["c3"]}
        self.release = ""
        self.repository = "acme/x"
        self.tags_first = False
        self.asked: list[str] = []
        self.contained: set[tuple[str, str]] | None = None

    def find(self, path: str, **_params: Any) -> Any:
        try:
            return self.get(path)
        except GitHubRefused:
            return None

    def get(self, path: str, **_params: Any) -> Any:
        self.asked.append(path)
        path = unquote(path)
        base, _, head = path.removeprefix("/compare/").partition("...")
        if self.contained is not None and {base, head} <= set(self.commits):
            inside = base == head or (base, head) in self.contained
            return {"status": "behind" if inside else "diverged"}
        if path == "":
            return {"default_branch": "main"}
        if path == "/releases/latest" and self.release:
            return {"tag_name": self.release}
        if path.startswith("/git/ref/tags/") and (name := path.removeprefix("/git/ref/tags/")) in self.tags:
            kind, sha = ("tag", "0" * 40) if name in self.annotated else ("commit", self.tags[name])
            return {"ref": f"refs/tags/{name}", "object": {"type": kind, "sha": sha}}
        if path.startswith("/git/ref/heads/") and (name := path.removeprefix("/git/ref/heads/")) in self.branches:
            return {"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": self.branches[name]}}
        if path == f"/git/tags/{'0' * 40}" and self.annotated:
            return {"object": {"type": "commit", "sha": self.tags[next(iter(self.annotated))]}}
        if path.startswith("/commits/") and (sha := self._commit(path.removeprefix("/commits/"))):
            return {"sha": sha, "commit": {"message": self.commits[sha]}, "html_url": f"https://github.test/{sha}"}
        raise GitHubRefused(404, "acme/x", "Not Found")

    def pages(self, path: str, **_params: Any) -> Any:
        if path == "/releases":
            shown = [{"tag_name": name, "draft": False, "prerelease": False} for name in sorted(self.tags)]
            return [{"tag_name": "api@9.9.9-rc.1", "draft": False, "prerelease": True}, *shown] if self.release else []
        assert path == "/tags"
        return ({"name": name} for name in sorted(self.tags, reverse=True))

    def _commit(self, ref: str) -> str:
        """A short name may mean a branch, a tag or a commit: which one first, git and GitHub do not agree on.
        https://git-scm.com/docs/gitrevisions"""
        for named in (self.tags, self.branches) if self.tags_first else (self.branches, self.tags):
            if found := named.get(ref):
                return found
        return next((sha for sha in self.commits if len(ref) >= 7 and sha.startswith(ref)), "")


@pytest.fixture
def github() -> Any:
    fake = Fake()
    fake.tags = {"v1.2.3": SHA["a1"], "v1.10.0": SHA["b2"], "2.0": SHA["c3"]}
    return fake


def resolved(github: Any, version: str) -> tuple[str, str] | None:
    found = versions.resolve(github, version)
    return (found.version, found.sha) if found else None


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("v1.2.3", ("v1.2.3", SHA["a1"])),
        ("1.2.3", ("v1.2.3", SHA["a1"])),
        ("2.0", ("2.0", SHA["c3"])),
        ("v2.0", None),
        (SHA["f0"], (SHA["f0"], SHA["f0"])),
        ("fffffff", ("fffffff", SHA["f0"])),
        ("ffffff", None),
        ("main", None),
        ("v1.2", None),
    ],
)
def test_a_version_is_a_tag_with_or_without_its_v_or_a_commit(
    github: Any, version: str, found: tuple[str, str] | None
) -> None:
    assert resolved(github, version) == found


def test_a_commit_typed_in_capitals_is_that_commit(github: Any) -> None:
    assert resolved(github, "FFFFFFF") == ("FFFFFFF", SHA["f0"])


def test_an_annotated_tag_is_followed_to_its_commit(github: Any) -> None:
    github.annotated.add("v1.2.3")
    assert resolved(github, "v1.2.3") == ("v1.2.3", SHA["a1"])


def test_a_branch_of_the_same_name_never_stands_in_for_a_tag(github: Any) -> None:
    github.annotated.add("v1.2.3")
    for branch in ("v1.2.3", "tags/v1.2.3", "refs/tags/v1.2.3"):
        github.branches[branch] = SHA["f0"]
    assert resolved(github, "v1.2.3") == ("v1.2.3", SHA["a1"])


@pytest.mark.parametrize("tag", ["main", "heads/main"])
def test_a_tag_of_the_default_branchs_name_never_stands_in_for_it(github: Any, tag: str) -> None:
    github.tags = {tag: SHA["f0"]}
    github.tags_first = True
    assert resolved(github, "") == (SHA["c3"][:12], SHA["c3"])


def test_a_branch_whose_name_looks_like_a_commit_is_none(github: Any) -> None:
    github.branches["deadbeef"] = SHA["f0"]
    assert resolved(github, "deadbeef") is None


ADMITTED = ("main", "release/*")
BRANCHES: dict[str, tuple[str, str] | None] = {
    "main": ("main@ccccccc", SHA["c3"]),
    "release/1": ("release/1@bbbbbbb", SHA["b2"]),
    "release/1@bbbbbbb": ("release/1@bbbbbbb", SHA["b2"]),
    f"release/1@{SHA['b2']}": ("release/1@bbbbbbb", SHA["b2"]),
    "release/1/x": None,
    "side": None,
    "side@fffffff": None,
    "Main": None,
    "release/2": None,
    "main@0000000": None,
    "v1.2.3": ("v1.2.3", SHA["a1"]),
    "fffffff": ("fffffff", SHA["f0"]),
    "main@main": None,
}


@pytest.mark.parametrize("version", BRANCHES)
def test_an_admitted_branch_is_its_head_and_named_with_it(github: Any, version: str) -> None:
    github.branches |= {"release/1": SHA["b2"], "release/1/x": SHA["f0"], "side": SHA["f0"]}
    github.contained = set()
    found = versions.resolve(github, version, "", ADMITTED)
    assert ((found.version, found.sha) if found else None) == BRANCHES[version]
    if found and found.version.partition("@")[0] in github.branches:
        assert not found.bare, "the branch that it is on has been looked at"
        assert is_version(found.version)
        assert versions.resolve(github, found.version, "", ADMITTED) == found, "what is shown can be typed again"


def test_a_branchs_commit_stays_that_commit_when_the_branch_moves_and_must_be_on_it(github: Any) -> None:
    before = versions.resolve(github, "main", "", ADMITTED)
    assert before
    github.branches["main"] = SHA["a1"]
    github.contained = {(SHA["a1"], SHA["c3"])}
    assert versions.resolve(github, before.version, "", ADMITTED) == before
    with pytest.raises(Refusal) as refused:
        versions.resolve(github, "main@fffffff", "", ADMITTED)
    assert (refused.value.key, refused.value.values["commit"]) == ("not_on_branch", "fffffff")


def test_of_a_tag_and_a_branch_of_one_name_the_tag_wins_and_the_branch_is_named(github: Any) -> None:
    github.tags["main"] = SHA["a1"]
    found = versions.resolve(github, "main", "", ADMITTED)
    assert found
    assert (found.version, found.sha, found.branch) == ("main", SHA["a1"], "main@ccccccc")
    github.branches["main"] = SHA["a1"]
    found = versions.resolve(github, "main", "", ADMITTED)
    assert found
    assert found.branch == "", "both are the same commit"
    github.tags = {"main@ccccccc": SHA["a1"]}
    found = versions.resolve(github, "main@ccccccc", "", ADMITTED)
    assert found
    assert found.sha == SHA["a1"], "a tag of such a name, too"


def test_a_branch_that_is_named_like_a_commit_never_stands_in_for_one(github: Any) -> None:
    github.branches["fffffff"] = SHA["a1"]
    github._commit = lambda ref: ref if ref in SHA.values() else SHA["f0"]
    found = versions.resolve(github, "fffffff", "", ("*",))
    assert found
    assert (found.version, found.sha) == ("fffffff", SHA["f0"])


@pytest.mark.parametrize(
    ("pattern", "name", "admitted"),
    [
        ("main", "main", True),
        ("main", "mainz", False),
        ("*", "main", True),
        ("*", "release/1", False),
        ("release/*", "release/1", True),
        ("release/*", "release/1/2", False),
        ("release/*", "release", False),
        ("*/x", "a/x", True),
    ],
)
def test_a_pattern_admits_branches_as_githubs_rulesets_do(pattern: str, name: str, admitted: bool) -> None:
    assert admits([pattern], name) is admitted


@pytest.mark.parametrize(
    ("one", "other"), [("main@1234567", "v1.2.3"), ("v9.9.9", "main@1234567"), ("main@1a2b3c4", "main@9a2b3c4")]
)
def test_a_branchs_commit_is_neither_older_nor_newer(one: str, other: str) -> None:
    assert not is_older(one, other)
    assert not is_older(other, one)


def test_a_moved_tag_is_where_it_is_now(github: Any) -> None:
    github.tags["v1.2.3"] = SHA["f0"]
    assert resolved(github, "v1.2.3") == ("v1.2.3", SHA["f0"])


def test_without_a_version_the_newest_release_then_the_newest_tag_then_the_head(github: Any) -> None:
    github.release = "v1.2.3"
    assert resolved(github, "") == ("v1.2.3", SHA["a1"])
    github.release = ""
    assert resolved(github, "") == ("2.0", SHA["c3"])
    github.tags = {}
    assert resolved(github, "") == (SHA["c3"][:12], SHA["c3"]), "a branch moves, what is deployed does not"


def test_of_more_tags_than_are_read_none_is_called_the_newest(github: Any) -> None:
    """GitHub lists tags by name, so the newest version may stand on any page."""
    github.tags |= dict.fromkeys((f"w{n}" for n in range(996)), SHA["f0"])
    assert resolved(github, "") == ("2.0", SHA["c3"])
    github.tags["w996"] = SHA["f0"]
    with pytest.raises(Refusal) as refused:
        versions.resolve(github, "")
    assert (refused.value.key, refused.value.values["count"]) == ("many_tags", 1000)
    assert resolved(github, "v1.2.3") == ("v1.2.3", SHA["a1"])
    github.release = "v1.10.0"
    assert resolved(github, "") == ("v1.10.0", SHA["b2"])


def test_an_empty_repository_has_nothing_to_deploy(github: Any) -> None:
    github.tags, github.branches = {}, {}
    assert resolved(github, "") is None


# By rising precedence, as https://semver.org/#spec-item-11 has it for what it knows.
VERSIONS = [
    *("v1.2.3-alpha", "v1.2.3-alpha.1", "v1.2.3-beta.2", "v1.2.3-beta.11", "v1.2.3-rc.2", "v1.2.3-rc.10"),
    *("v2.0.0-rc.1", "v0.0.1", "v1", "1.2", "api@1.2.1", "v1.2.2", "release-1.2.3", "V1.2.4", "web/v1.9.0", "v1.10.0"),
    *("@acme/web@5.0.0", "release-9", "release-10", "2026-01-31", "2026-02-01", "2026.02.02"),
]
NO_VERSIONS = [
    "nightly",
    "nightly-20240601",
    "20240601",
    "42",
    "build-7",
    "2nd",
    "latest",
    "v",
    "vnext",
    "v1.2.3-",
    "-1.2",
]


def test_versions_are_ordered_by_precedence_and_every_release_is_above_the_candidates() -> None:
    for older, newer in pairwise(VERSIONS):
        assert is_older(older, newer)
        assert not is_older(newer, older)
        assert newest((newer, *NO_VERSIONS, older)) == newer


@pytest.mark.parametrize("tag", NO_VERSIONS)
def test_what_is_no_version_is_never_the_newest_and_never_older(tag: str) -> None:
    assert newest([tag]) == ""
    assert not is_older(tag, "v9")
    assert not is_older("v0.1", tag)


def test_without_a_version_among_the_tags_it_is_the_head(github: Any) -> None:
    github.tags = {"nightly-20240601": SHA["a1"]}
    assert resolved(github, "") == (SHA["c3"][:12], SHA["c3"])
    github.tags["v0.9.0-rc.1"] = SHA["b2"]
    assert resolved(github, "") == ("v0.9.0-rc.1", SHA["b2"])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ("api@1.10.0", SHA["b2"])),
        ("1.9.0", ("api@1.9.0", SHA["a1"])),
        ("api@1.9.0", ("api@1.9.0", SHA["a1"])),
        ("@acme/web@5.0.0", None),
        ("v1.2.3", None),
        (SHA["f0"], (SHA["f0"], SHA["f0"])),
    ],
)
@pytest.mark.parametrize("released", [True, False])
def test_a_target_may_say_which_tags_are_its_own(
    github: Any, typed: str, found: tuple[str, str] | None, released: bool
) -> None:
    github.tags |= {"api@1.9.0": SHA["a1"], "api@1.10.0": SHA["b2"], "@acme/web@5.0.0": SHA["f0"]}
    github.release = "@acme/web@5.0.0" if released else ""
    commit = versions.resolve(github, typed, "api@*")
    assert ((commit.version, commit.sha) if commit else None) == found
    if not typed:
        assert "/releases/latest" not in github.asked


def test_a_similar_tag_is_offered(github: Any) -> None:
    assert versions.similar(github, "v1.2.4") == "v1.2.3"
    assert versions.similar(github, "qqqqq") == ""


def test_a_commits_title_is_its_first_line_cut() -> None:
    assert replies.commit_title({"commit": {"message": "x" * 150 + "\nbody"}}) == "x" * 100
    assert replies.commit_title({}) == ""


class Compared(Fake):
    """A comparison as GitHub words it."""

    def __init__(self, **body: Any) -> None:
        super().__init__()
        self.body = body

    def get(self, path: str, **_params: Any) -> Any:
        assert path == f"/compare/{SHA['a1']}...{SHA['b2']}"
        return {"html_url": "https://github.test/compare", **self.body}


def test_changes_name_commits_authors_and_pull_requests_once_each() -> None:
    def commit(message: str, login: str | None) -> dict[str, Any]:
        return {"author": {"login": login} if login else None, "commit": {"message": message, "author": {"name": "N"}}}

    github: Any = Compared(
        ahead_by=4,
        behind_by=1,
        commits=[
            commit("Merge pull request #12 from x", "dana"),
            commit("Fix it (#13)", "dana"),
            commit("Fix it (#13)", None),
            commit("No number", "lee"),
            {"author": None, "commit": {"message": "Nobody's", "author": None}},
        ],
    )
    found = versions.changes(github, SHA["a1"], SHA["b2"])
    assert found is not None
    assert (found.commits, found.behind, found.authors, found.pulls) == (4, 1, ("dana", "N", "lee"), (12, 13))


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Merge pull request #12 from acme/fix-9", 12),
        ("Preserve types in masked_copy (#813) (#1308)", 1308),
        ("Fix #9: crash at start (#14)", 14),
        (f"{'A long title of a squashed pull request ' * 4}(#1234)", 1234),
        ("Fix #9", None),
        ("Paint it #123456", None),
        ('Revert "Fix it (#13)"', None),
    ],
)
def test_a_pull_request_is_the_one_that_github_names_not_an_issue_in_the_title(title: str, number: int | None) -> None:
    """https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges"""
    message = f"{title}\n\n(#5)"
    github: Any = Compared(ahead_by=1, commits=[{"author": {"login": "dana"}, "commit": {"message": message}}])
    found = versions.changes(github, SHA["a1"], SHA["b2"])
    assert found is not None
    assert found.pulls == ((number,) if number else ())


def test_commits_that_cannot_be_compared_have_no_changes() -> None:
    github: Any = Fake()
    assert versions.changes(github, SHA["a1"], SHA["b2"]) is None
