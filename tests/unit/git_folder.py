"""A git repository of a test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b.example")


def git(folder: Path, *words: str) -> str:
    """What git writes. Raises CalledProcessError."""
    command = ["git", "-C", str(folder), *AUTHOR, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def put(folder: Path, files: dict[str, str]) -> None:
    """Write these files into a repository, which is made where there is none, and stage all that lies in it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder.parent, "init", "-q", "--template=", str(folder))
    git(folder, "add", ".")


def commit(folder: Path, files: dict[str, str]) -> str:
    """Put these files there and commit; the commit's SHA."""
    put(folder, files)
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return git(folder, "rev-parse", "HEAD")
