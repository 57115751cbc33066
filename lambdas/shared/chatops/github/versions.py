"""Version to commit: a version is a tag, a release or a commit, or a branch that the target admits; resolved once, in
`plan`. What a branch is resolved to has a name of its own, `main@1a2b3c4`, and whoever types that means that commit."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

from chatops.domain.command_text import suggest
from chatops.domain.errors import GitHubRefused, Refusal
from chatops.domain.plan import Changes
from chatops.domain.version_order import admits, newest, of_branch, on_branch, own
from chatops.github import replies
from chatops.github.client import GitHub, quoted
from chatops.values import dataclass

_SHA = re.compile(r"[0-9a-f]{7,40}")
_PULL = re.compile(r"^Merge pull request #(\d{1,9}) |\(#(\d{1,9})\)$")
"""What GitHub writes into the title of a merge, or at the end of a squashed commit's. Any other number may be an
issue's."""
_NESTED = 5
"""Tags of tags that are followed."""
MOST_TAGS = 1000
"""That are read of a repository: ten pages of a hundred."""


@dataclass(frozen=True)
class Commit:
    """A version and the commit that it names. `committed_at` is GitHub's ISO 8601 text, empty if it gives none. `bare`:
    no tag, release or branch named it, only its hash. `branch`: the version of another commit, the head of an admitted
    branch that has the tag's name."""

    version: str
    sha: str
    title: str
    url: str
    committed_at: str = ""
    bare: bool = False
    branch: str = ""


def resolve(
    github: GitHub, version: str, tags: str = "", branches: tuple[str, ...] = (), pinned: tuple[str, ...] = ()
) -> Commit | None:
    """The commit of a version, or None if the repository has no such tag, release or commit, nor such a branch among
    those that the patterns `branches` admit. `tags`: the pattern of those that are the target's own (`api@*`); `1.2.3`
    means `api@1.2.3` then. `pinned`: patterns of branches whose commits may be named (`main@1a2b3c4`), but not their
    heads.

    No version: the newest release, else the newest tag, else the head of the default branch.
    """
    if not version:
        return latest(github, tags)
    names = [version, f"v{version}"] if version[:1].isdigit() else [version]
    for name in names if not tags else own([*names, tags.replace("*", version, 1)], tags):
        if found := _tag(github, name):
            head = _head(github, name) if admits(branches, name) else ""
            return replace(found, branch=on_branch(name, head)) if head not in ("", found.sha) else found
    if _SHA.fullmatch(version.lower()) and (found := _by_hash(github, version, version.lower())):
        return replace(found, bare=True)
    return _on_branch(github, version, branches, pinned)


def _by_hash(github: GitHub, version: str, sha: str) -> Commit | None:
    found = _commit(github, version, sha)
    # a branch may bear such a name, too, and would be found first
    return found if found and found.sha.startswith(sha) else None


def _on_branch(github: GitHub, version: str, branches: tuple[str, ...], pinned: tuple[str, ...]) -> Commit | None:
    """The commit where the version is `<branch>@<hash>`, or the head of an admitted branch. Raises Refusal where the
    branch does not contain that commit."""
    branch, sha = of_branch(version)
    if branch and admits((*branches, *pinned), branch) and (found := _by_hash(github, version, sha)):
        if not _contains(github, branch, found.sha):
            raise Refusal("not_on_branch", repository=github.repository, branch=branch, commit=sha)
        return replace(found, version=on_branch(branch, found.sha))
    head = _head(github, version) if admits(branches, version) else ""
    return _commit(github, on_branch(version, head), head) if head else None


def branch_meant(github: GitHub, version: str) -> str:
    """The branch that a version without a commit names; empty where there is none of that name."""
    branch = of_branch(version)[0] or version
    return branch if _head(github, branch) else ""


def _contains(github: GitHub, branch: str, sha: str) -> bool:
    """A head that is `behind` its base, or `identical` with it, is contained in it.
    https://docs.github.com/en/rest/commits/commits#compare-two-commits"""
    head = _head(github, branch)
    compared = github.find(f"/compare/{head}...{quoted(sha)}", per_page=1) if head else None
    return bool(compared and compared.get("status") in ("behind", "identical"))


def admitted(github: GitHub, sha: str, tags: str = "", branches: tuple[str, ...] = ()) -> bool:
    """Whether a bare commit is contained in the default branch or one of these, or is what one of the target's own tags
    names (`tags`: their pattern). Of a pattern's branches it is not asked: there may be hundreds.

    GitHub serves the commits of all of a repository's forks under the repository's own address, and says so nowhere in
    its API.
    """
    literal = [branch for branch in branches if "*" not in branch]
    for branch in dict.fromkeys((str(github.get("")["default_branch"]), *literal)):
        if _contains(github, branch, sha):
            return True
    named = [str(tag["name"]) for tag in github.pages("/tags") if (tag.get("commit") or {}).get("sha") == sha]
    return bool(own(named, tags))


def latest(github: GitHub, tags: str = "") -> Commit | None:
    """What a command without a version means. What GitHub calls the latest release may be another target's, where this
    one's tags follow a pattern: then it is the newest version of the first page of releases.

    Raises Refusal where the tags are more than are read: the newest may be among the others."""
    if tags:
        named = newest(own(_released(github), tags))
    else:
        named = str((github.find("/releases/latest") or {}).get("tag_name") or "")
    if not named:
        known = _tags(github)
        if len(known) >= MOST_TAGS:
            raise Refusal("many_tags", repository=github.repository, count=MOST_TAGS)
        named = newest(own(known, tags))
    if named:
        return _tag(github, named)
    # a branch moves; what is deployed and recorded does not
    sha = _head(github, str(github.get("")["default_branch"]))
    return _commit(github, sha[:12], sha) if sha else None


def _released(github: GitHub) -> list[str]:
    """The tags of the newest hundred releases, without drafts and pre-releases.

    https://docs.github.com/en/rest/releases/releases#list-releases
    """
    found = islice(github.pages("/releases"), 100)
    return [str(each["tag_name"]) for each in found if not each.get("draft") and not each.get("prerelease")]


def _tags(github: GitHub) -> list[str]:
    """The names of the tags, of the first thousand: GitHub lists them by name, so the newest may stand on any page.

    https://docs.github.com/en/rest/repos/repos#list-repository-tags
    """
    return [str(tag["name"]) for tag in github.pages("/tags")]


def _tag(github: GitHub, name: str) -> Commit | None:
    """The commit of a tag. An annotated one names an object of its own, which names the commit, or one more tag."""
    found = github.find(f"/git/ref/tags/{quoted(name)}")
    if not found or found.get("ref") != f"refs/tags/{name}":
        return None
    it = found["object"]
    for _ in range(_NESTED):
        if it["type"] != "tag":
            return _commit(github, name, str(it["sha"]))
        it = github.get(f"/git/tags/{it['sha']}")["object"]
    return None


def _head(github: GitHub, branch: str) -> str:
    """The hash of the branch's newest commit; empty where there is no such branch. By its hash alone is it sure what is
    asked for: other branches and tags may be called `main`, `heads/main` or `tags/v1`.

    https://docs.github.com/en/rest/git/refs#get-a-reference
    """
    found = github.find(f"/git/ref/heads/{quoted(branch)}")
    return str(found["object"]["sha"]) if found and found.get("ref") == f"refs/heads/{branch}" else ""


def _commit(github: GitHub, version: str, ref: str) -> Commit | None:
    body = github.find(f"/commits/{quoted(ref)}")
    if body is None:
        return None
    when = str(((body.get("commit") or {}).get("committer") or {}).get("date") or "")
    return Commit(version, str(body["sha"]), replies.commit_title(body), str(body["html_url"]), when)


def similar(github: GitHub, version: str, tags: str = "") -> str:
    """A tag that was probably meant, or nothing."""
    try:
        return suggest(version, own(_tags(github), tags))
    except GitHubRefused:
        return ""


def changes(github: GitHub, base: str, head: str, *, counts_only: bool = False) -> Changes | None:
    """What changed from `base` to `head` (commits); None if GitHub cannot compare them. `counts_only`: without authors
    and pull requests, for a difference that GitHub is too slow to show: it shows none on a second page.

    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    body = github.find(f"/compare/{quoted(base)}...{quoted(head)}", **({"page": 2} if counts_only else {}))
    if not body:
        return None
    commits = [] if counts_only else body.get("commits") or []
    authors = dict.fromkeys(name[:100] for name in map(replies.author, commits) if name)
    merged = (_PULL.search(replies.first_line(c)) for c in commits)
    pulls = dict.fromkeys(int(m[1] or m[2]) for m in merged if m)
    return Changes(
        url=str(body["html_url"]),
        commits=int(body.get("ahead_by", len(commits))),
        behind=int(body.get("behind_by", 0)),
        authors=tuple(authors)[:10],
        pulls=tuple(pulls)[:10],
    )
