"""Version to commit: a version is a tag, a release or a commit; resolved once, in `plan`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice

from chatops.domain.command_text import suggest
from chatops.domain.errors import GitHubRefused
from chatops.domain.plan import Changes
from chatops.domain.version_order import newest, own
from chatops.github import replies
from chatops.github.client import GitHub, quoted

_SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Commit:
    """A version and the commit that it names. `committed_at` is GitHub's ISO 8601 text, empty if it gives none. `bare`:
    no tag, release or branch named it, only its hash."""

    version: str
    sha: str
    title: str
    url: str
    committed_at: str = ""
    bare: bool = False


def resolve(github: GitHub, version: str, tags: str = "") -> Commit | None:
    """The commit of a version, or None if the repository has no such tag, release or commit. `tags`: the pattern of
    those that are the target's own (`api@*`); `1.2.3` means `api@1.2.3` then.

    No version: the newest release, else the newest tag, else the head of the default branch.
    """
    if not version:
        return latest(github, tags)
    names = [version, f"v{version}"] if version[:1].isdigit() else [version]
    for name in names if not tags else own([*names, tags.replace("*", version, 1)], tags):
        if found := _tag(github, name):
            return found
    if not _SHA.fullmatch(version.lower()):
        return None
    found = _commit(github, version, version.lower())
    # a branch may bear such a name, too, and would be found first
    return replace(found, bare=True) if found and found.sha.startswith(version.lower()) else None


def admitted(github: GitHub, sha: str, tags: str = "", branches: tuple[str, ...] = ()) -> bool:
    """Whether a bare commit is contained in one of these branches (none named: the default branch), or is what one of
    the target's own tags names (`tags`: their pattern).

    GitHub serves the commits of all of a repository's forks under the repository's own address, and says so nowhere in
    its API. A head that is `behind` its base, or `identical` with it, is contained in it.
    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    for branch in branches or (str(github.get("")["default_branch"]),):
        compared = github.find(f"/compare/{quoted(branch)}...{quoted(sha)}", per_page=1)
        if compared and compared.get("status") in ("behind", "identical"):
            return True
    named = [str(tag["name"]) for tag in github.pages("/tags") if (tag.get("commit") or {}).get("sha") == sha]
    return bool(own(named, tags))


def latest(github: GitHub, tags: str = "") -> Commit | None:
    """What a command without a version means. What GitHub calls the latest release may be another target's, where this
    one's tags follow a pattern: then it is the newest version of the first page of releases."""
    if tags:
        named = newest(own(_released(github), tags))
    else:
        named = str((github.find("/releases/latest") or {}).get("tag_name") or "")
    if named := named or newest(own(_tags(github), tags)):
        return _tag(github, named)
    branch = str(github.get("")["default_branch"])
    head = _commit(github, branch, branch)
    # a branch moves; what is deployed and recorded does not
    return replace(head, version=head.sha[:12]) if head else None


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
    found = github.find(f"/git/ref/tags/{quoted(name)}")
    if not found or found.get("ref") != f"refs/tags/{name}":
        return None
    # an annotated tag names an object of its own; the commits endpoint follows it, and prefers branches to bare names
    # https://docs.github.com/en/rest/commits/commits#get-a-commit
    return _commit(github, name, f"tags/{name}" if found["object"]["type"] == "tag" else str(found["object"]["sha"]))


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


def changes(github: GitHub, base: str, head: str) -> Changes | None:
    """What changed from `base` to `head` (commits); None if GitHub cannot compare them."""
    body = github.find(f"/compare/{quoted(base)}...{quoted(head)}")
    if not body:
        return None
    commits = body.get("commits") or []
    names = (str((c.get("author") or {}).get("login") or c["commit"]["author"]["name"]) for c in commits)
    authors = dict.fromkeys(name[:100] for name in names)
    merged = (re.search(r"(?:#|pull request #)(\d+)", replies.commit_title(c)) for c in commits)
    pulls = dict.fromkeys(int(m[1]) for m in merged if m)
    return Changes(
        url=str(body["html_url"]),
        commits=int(body.get("ahead_by", len(commits))),
        behind=int(body.get("behind_by", 0)),
        authors=tuple(authors)[:10],
        pulls=tuple(pulls)[:10],
    )
