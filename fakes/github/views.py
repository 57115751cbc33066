"""GitHub's JSON for people and repositories, and the addresses that stand in every object.

Shapes: https://github.com/github/rest-api-description (checked in tests/contract).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from zlib import crc32

from fakes.github.model import iso
from fakes.github.repository import Repository

Json = dict[str, object]

_COLLECTIONS = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


@dataclass(frozen=True)
class Urls:
    """Where this GitHub answers: `api` is the base of the REST API, `web` that of the pages."""

    api: str
    web: str = "https://github.com"

    def repo(self, full_name: str) -> str:
        """The REST address of a repository."""
        return f"{self.api}/repos/{full_name}"

    def page(self, full_name: str) -> str:
        """The page of a repository."""
        return f"{self.web}/{full_name}"


def node_id(kind: str, identity: object) -> str:
    """A global id of GraphQL's look."""
    text = base64.urlsafe_b64encode(str(identity).encode()).decode().rstrip("=")
    return f"{kind}_{text}"


def user(login: str, urls: Urls, kind: str = "User") -> Json:
    """A `simple-user`."""
    number = crc32(login.encode()) % 90_000_000 + 1_000_000
    me = f"{urls.api}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": me,
        "html_url": f"{urls.web}/{login}",
        "followers_url": f"{me}/followers",
        "following_url": f"{me}/following{{/other_user}}",
        "gists_url": f"{me}/gists{{/gist_id}}",
        "starred_url": f"{me}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{me}/subscriptions",
        "organizations_url": f"{me}/orgs",
        "repos_url": f"{me}/repos",
        "events_url": f"{me}/events{{/privacy}}",
        "received_events_url": f"{me}/received_events",
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def minimal_repository(repository: Repository, urls: Urls) -> Json:
    """The `minimal-repository` that runs carry."""
    api = urls.repo(repository.full_name)
    body: Json = {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": user(repository.owner, urls, "User" if repository.personal else "Organization"),
        "private": repository.private,
        "html_url": urls.page(repository.full_name),
        "description": "Takes the money",
        "fork": False,
        "url": api,
    }
    return body | {name: f"{api}/{path}" for name, path in _COLLECTIONS.items()}


def full_repository(repository: Repository, urls: Urls) -> Json:
    """The `full-repository` of GET /repos/{owner}/{repo}."""
    return plain_repository(repository, urls) | {"network_count": 0, "subscribers_count": 0}


def plain_repository(repository: Repository, urls: Urls) -> Json:
    """The `repository` inside other objects."""
    pushed = iso(repository.head().date) if repository.branches else iso(repository.created)
    page = urls.page(repository.full_name)
    counts = dict.fromkeys(
        ("forks", "forks_count", "open_issues", "open_issues_count", "stargazers_count", "watchers", "watchers_count"),
        0,
    )
    return minimal_repository(repository, urls) | {
        "clone_url": f"{page}.git",
        "git_url": f"git://{page.partition('://')[2]}.git",
        "ssh_url": f"git@github.com:{repository.full_name}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": "Python",
        "size": 482,
        "default_branch": repository.default_branch,
        "is_template": False,
        "topics": [],
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": repository.archived,
        "disabled": repository.disabled,
        "visibility": "private" if repository.private else "public",
        "pushed_at": pushed,
        "created_at": iso(repository.created),
        "updated_at": pushed,
        "permissions": {"admin": False, "maintain": False, "push": repository.push, "triage": True, "pull": True},
        "license": None,
        "allow_forking": False,
        "web_commit_signoff_required": False,
        **counts,
    }
