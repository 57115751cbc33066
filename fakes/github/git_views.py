"""GitHub's JSON for commits, tags, refs, releases and comparisons."""

from __future__ import annotations

from fakes.github.model import Commit, Release, Tag, iso, sha1
from fakes.github.repository import Comparison, Repository
from fakes.github.views import Json, Urls, node_id, user

UNSIGNED: Json = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def author(commit: Commit) -> Json:
    """The name and address git itself records."""
    return {"name": commit.login.title(), "email": f"{commit.login}@acme.example"}


def commit(repository: Repository, it: Commit, urls: Urls, *, files: bool = False) -> Json:
    """A `commit`; with `files` also the `stats` and `files` of the endpoint for a single one."""
    api, page = urls.repo(repository.full_name), urls.page(repository.full_name)
    signature = author(it) | {"date": iso(it.date)}
    tree = sha1("tree", it.sha)
    body: Json = {
        "sha": it.sha,
        "node_id": node_id("C", it.sha),
        "commit": {
            "author": signature,
            "committer": signature,
            "message": it.message,
            "tree": {"sha": tree, "url": f"{api}/git/trees/{tree}"},
            "url": f"{api}/git/commits/{it.sha}",
            "comment_count": 0,
            "verification": UNSIGNED,
        },
        "url": f"{api}/commits/{it.sha}",
        "html_url": f"{page}/commit/{it.sha}",
        "comments_url": f"{api}/commits/{it.sha}/comments",
        "author": user(it.login, urls),
        "committer": user(it.login, urls),
        "parents": [
            {"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in it.parents
        ],
    }
    if files:
        count = len(it.files)
        body["stats"] = {"total": 10 * count, "additions": 8 * count, "deletions": 2 * count}
        body["files"] = [diff_entry(repository, it, name, urls) for name in it.files]
    return body


def diff_entry(repository: Repository, it: Commit, name: str, urls: Urls) -> Json:
    """One changed file; the fake keeps no contents, so the counts are always the same."""
    page = urls.page(repository.full_name)
    return {
        "sha": sha1("blob", it.sha, name),
        "filename": name,
        "status": "modified" if it.parents else "added",
        "additions": 8,
        "deletions": 2,
        "changes": 10,
        "blob_url": f"{page}/blob/{it.sha}/{name}",
        "raw_url": f"{page}/raw/{it.sha}/{name}",
        "contents_url": f"{urls.repo(repository.full_name)}/contents/{name}?ref={it.sha}",
        "patch": "@@ -1,2 +1,8 @@",
    }


def comparison(repository: Repository, it: Comparison, basehead: str, shown: list[Commit], urls: Urls) -> Json:
    """A `commit-comparison` that lists the commits of one page, `shown`; the files stand on every page."""
    api, page = urls.repo(repository.full_name), urls.page(repository.full_name)
    changed = {name: one for one in it.ahead for name in one.files}
    permalink = f"{repository.owner}:{it.base.sha[:7]}...{repository.owner}:{it.head.sha[:7]}"
    return {
        "url": f"{api}/compare/{basehead}",
        "html_url": f"{page}/compare/{basehead}",
        "permalink_url": f"{page}/compare/{permalink}",
        "diff_url": f"{page}/compare/{basehead}.diff",
        "patch_url": f"{page}/compare/{basehead}.patch",
        "base_commit": commit(repository, it.base, urls),
        "merge_base_commit": commit(repository, it.merge_base, urls),
        "status": it.status,
        "ahead_by": len(it.ahead),
        "behind_by": it.behind_by,
        "total_commits": len(it.ahead),
        "commits": [commit(repository, one, urls) for one in shown],
        "files": [diff_entry(repository, one, name, urls) for name, one in sorted(changed.items())],
    }


def tag(repository: Repository, it: Tag, urls: Urls) -> Json:
    """A `tag` of the list of tags: always the commit, annotated or not."""
    api = urls.repo(repository.full_name)
    return {
        "name": it.name,
        "zipball_url": f"{api}/zipball/refs/tags/{it.name}",
        "tarball_url": f"{api}/tarball/refs/tags/{it.name}",
        "commit": {"sha": it.sha, "url": f"{api}/commits/{it.sha}"},
        "node_id": node_id("REF", f"refs/tags/{it.name}"),
    }


def git_ref(repository: Repository, ref: str, kind: str, sha: str, urls: Urls) -> Json:
    """A `git-ref`; the object of an annotated tag is the tag, not yet the commit."""
    api = urls.repo(repository.full_name)
    return {
        "ref": f"refs/{ref}",
        "node_id": node_id("REF", f"refs/{ref}"),
        "url": f"{api}/git/refs/{ref}",
        "object": {"sha": sha, "type": kind, "url": f"{api}/git/{kind}s/{sha}"},
    }


def git_tag(repository: Repository, it: Tag, urls: Urls) -> Json:
    """The `git-tag` object behind an annotated tag."""
    api = urls.repo(repository.full_name)
    return {
        "node_id": node_id("TA", it.object_sha),
        "sha": it.object_sha,
        "url": f"{api}/git/tags/{it.object_sha}",
        "tag": it.name,
        "message": f"Release {it.name}",
        "tagger": {"name": "Lee", "email": "lee@acme.example", "date": iso(it.date)},
        "object": {"sha": it.sha, "type": "commit", "url": f"{api}/git/commits/{it.sha}"},
        "verification": UNSIGNED,
    }


def release(repository: Repository, it: Release, urls: Urls) -> Json:
    """A `release`."""
    api, page = urls.repo(repository.full_name), urls.page(repository.full_name)
    one = f"{api}/releases/{it.id}"
    published = iso(it.published) if it.published is not None else None
    return {
        "url": one,
        "assets_url": f"{one}/assets",
        "upload_url": f"{one}/assets{{?name,label}}",
        "html_url": f"{page}/releases/tag/{it.tag}",
        "id": it.id,
        "author": user(it.login, urls),
        "node_id": node_id("RE", it.id),
        "tag_name": it.tag,
        "target_commitish": it.target,
        "name": it.tag,
        "draft": it.draft,
        "immutable": False,
        "prerelease": it.prerelease,
        "created_at": iso(it.created),
        "updated_at": published or iso(it.created),
        "published_at": published,
        "assets": [],
        "tarball_url": f"{api}/tarball/{it.tag}",
        "zipball_url": f"{api}/zipball/{it.tag}",
        "body": it.body,
    }
