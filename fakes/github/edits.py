"""What people push while the bot runs: new commits, tags and releases, and tags that move."""

from __future__ import annotations

import threading

from fakes.clock import Clock
from fakes.github.model import Commit, Release, Tag
from fakes.github.repository import Repository


class Edits:
    """The part of the fake that changes its first repository; all helpers here mean that one."""

    clock: Clock
    lock: threading.RLock
    repositories: dict[str, Repository]

    @property
    def default_repository(self) -> Repository:
        """The first repository, which the helpers below mean."""
        return next(iter(self.repositories.values()))

    def add_commit(self, message: str = "Change something", *, branch: str | None = None) -> Commit:
        """A new head for a branch (default: the default branch)."""
        with self.lock:
            return self.default_repository.add_commit(message, self.clock.now(), branch=branch)

    def add_tag(self, name: str, sha: str | None = None, *, annotated: bool = False) -> Tag:
        """A tag on a commit (default: the default branch's head)."""
        with self.lock:
            repository = self.default_repository
            tag = Tag(name, sha or repository.head().sha, self.clock.now(), annotated)
            repository.tags[name] = tag
            return tag

    def move_tag(self, name: str, sha: str) -> Tag:
        """Point an existing tag at another commit, as a forced push does. KeyError for an unknown one."""
        with self.lock:
            tag = self.default_repository.tags[name]
            tag.sha = self.default_repository.commits[sha].sha
            return tag

    def add_release(
        self, tag: str, sha: str | None = None, *, draft: bool = False, prerelease: bool = False
    ) -> Release:
        """A release of a tag; the tag is made where it is missing (a draft's is not)."""
        with self.lock:
            repository = self.default_repository
            if tag not in repository.tags and not draft:
                self.add_tag(tag, sha)
            commit = repository.tags[tag].sha if tag in repository.tags else repository.head().sha
            published = None if draft else self.clock.now()
            release = Release(
                151_300_000 + len(repository.releases),
                tag,
                repository.commits[commit].date,
                published,
                repository.default_branch,
                draft=draft,
                prerelease=prerelease,
            )
            repository.releases.append(release)
            return release
