"""GitHub's JSON for files, branches, workflows and the policy of Actions."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

from fakes.github.model import iso
from fakes.github.repository import Repository
from fakes.github.views import Json, Urls, node_id
from fakes.github.workflow import workflow_id

LINE = 60
"""Characters of base64 in one line of a file's content."""


def item(repository: Repository, ref: str, path: str, kind: str, urls: Urls, text: str = "") -> Json:
    """What files and the entries of a directory have in common."""
    raw = text.encode()
    name = path.rpartition("/")[2]
    api, page = urls.repo(repository.full_name), urls.page(repository.full_name)
    sha = hashlib.sha1(f"{kind} {len(raw)}\0{path}".encode() + raw, usedforsecurity=False).hexdigest()
    self_url = f"{api}/contents/{quote(path)}?ref={quote(ref, safe='')}"
    git = f"{api}/git/{'blobs' if kind == 'file' else 'trees'}/{sha}"
    html = f"{page}/{'blob' if kind == 'file' else 'tree'}/{quote(ref)}/{quote(path)}"
    raw_url = f"https://raw.githubusercontent.com/{repository.full_name}/{quote(ref)}/{quote(path)}"
    return {
        "name": name,
        "path": path,
        "sha": sha,
        "size": len(raw) if kind == "file" else 0,
        "url": self_url,
        "html_url": html,
        "git_url": git,
        "download_url": raw_url if kind == "file" else None,
        "type": kind,
        "_links": {"self": self_url, "git": git, "html": html},
    }


def file(repository: Repository, ref: str, path: str, text: str, urls: Urls) -> Json:
    """A `content-file`."""
    encoded = base64.b64encode(text.encode()).decode()
    lines = [encoded[at : at + LINE] for at in range(0, len(encoded), LINE)]
    body = item(repository, ref, path, "file", urls, text)
    return body | {"encoding": "base64", "content": "".join(f"{line}\n" for line in lines)}


def branch(repository: Repository, name: str, urls: Urls) -> Json:
    """A `short-branch`."""
    sha = repository.branches[name]
    url = f"{urls.repo(repository.full_name)}/commits/{sha}"
    return {"name": name, "commit": {"sha": sha, "url": url}, "protected": False}


def workflow(repository: Repository, path: str, text: str, state: str, urls: Urls) -> Json:
    """A `workflow`; its name is the file's first line's, as all of ours begin with it."""
    first = next((line for line in text.splitlines() if line.startswith("name:")), f"name: {path}")
    number = workflow_id(path)
    file_name = path.rpartition("/")[2]
    page = urls.page(repository.full_name)
    return {
        "id": number,
        "node_id": node_id("W", number),
        "name": first.partition(":")[2].strip(),
        "path": path,
        "state": state,
        "created_at": iso(repository.created),
        "updated_at": iso(repository.created),
        "url": f"{urls.repo(repository.full_name)}/actions/workflows/{number}",
        "html_url": f"{page}/blob/{repository.default_branch}/{path}",
        "badge_url": f"{page}/workflows/{quote(file_name)}/badge.svg",
    }


def policy(repository: Repository, urls: Urls) -> Json:
    """The `actions-repository-permissions`."""
    body: Json = {"enabled": repository.actions_enabled}
    if repository.actions_enabled:
        body |= {"allowed_actions": repository.allowed_actions, "sha_pinning_required": False}
    if repository.actions_enabled and repository.allowed_actions == "selected":
        selected = f"{urls.repo(repository.full_name)}/actions/permissions/selected-actions"
        body["selected_actions_url"] = selected
    return body
