"""Packs a commit as a checkout has it: every file, or a refusal that names what is missing.

`git archive` leaves out what .gitattributes marks as export-ignore, leaves empty folders where submodules are, and
packs Git LFS's pointers (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md) where the files were not fetched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from runner import Refused, error

POINTERS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
POINTER_BYTES = 1024
SUBMODULE = "160000"
"""The mode of a submodule in a tree."""


def pack(source: Path, sha: str, archive: Path) -> None:
    """Write the commit's files to a .tar.gz, owned by root and dated as the commit. Raises Refused."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        files = Path(folder) / "files"
        files.mkdir()
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index"), "GIT_LFS_SKIP_SMUDGE": "1"}
        _git(source, "read-tree", sha, env=index)
        listed = _git(source, "ls-files", "--stage", "-z", env=index).split("\0")
        submodules = [entry.split("\t", 1)[1] for entry in listed if entry.startswith(SUBMODULE)]
        if submodules:
            raise Refused(
                f"The commit has submodules, whose files a release would lack: {_names(submodules)}. Commit the files "
                "themselves, or let deploy.sh fetch what it needs and remove the submodule. Nothing was changed."
            )
        _git(source, "checkout-index", "--all", f"--prefix={files}/", env=index)
        pointers = [str(path.relative_to(files)) for path in sorted(files.rglob("*")) if _is_pointer(path)]
        if pointers:
            raise Refused(
                f"The commit has files in Git LFS, whose pointers only a release would have: {_names(pointers)}. "
                "Commit the files themselves, or let deploy.sh fetch them from elsewhere. Nothing was changed."
            )
        made = int(_git(source, "show", "--no-patch", "--format=%ct", sha))

        def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            member.mtime = made
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            return member

        with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
            for path in sorted(files.iterdir()):
                tar.add(path, path.name, filter=plain)


def _git(source: Path, *words: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(source), *words],
        env=os.environ | (env or {}),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return os.fsdecode(done.stdout)


def _is_pointer(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size >= POINTER_BYTES:
        return False
    return path.read_bytes().startswith(POINTERS)


def _names(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")


if __name__ == "__main__":
    try:
        pack(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    except Refused as refused:
        print(error("Archive", str(refused)))
        sys.exit(1)
