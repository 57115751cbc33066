"""`make caller STACK=platform-deploy TARGET=prod`: write the workflow with which a target's repository calls this one's
pipeline, with the address of that stack's bot in it.

The workflow goes to the standard output, or into the clone that OUT names; what is left to do is said beside it.
Exit status 0; 1 where the file would take another's place; 2 where something is missing or wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.target import Target
from chatops.settings.targets import OWNER, REPOSITORY, targets
from pipeline.caller import HERE, OWN, PIPELINE, Bot, Source, caller, path_of
from pipeline.stack import Unreadable, bot_of

ROOT = OWN.parents[2]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REMOTE = re.compile(r"(?:\w+://(?:[^@/]+@)?|[^@/]+@)(?P<host>[^/:]+)(?::\d+)?[/:](?P<name>[^/]+/[^/]+?)(?:\.git)?/?")
_GITHUB = re.compile(r"(?:.+\.)?github(?:\..+)+|.+\.ghe\.com", re.IGNORECASE)
"""github.com, or an enterprise's host."""


class Unusable(Exception):
    """The caller cannot be written; the text says what to give."""


def git(*words: str) -> str:
    """Git's answer about this clone; empty where it has none."""
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def repository(text: str, what: str) -> str:
    """`owner/name`. Raises Unusable."""
    owner, _, name = text.partition("/")
    if not (OWNER.fullmatch(owner) and REPOSITORY.fullmatch(name)):
        raise Unusable(f"{what} is {text!r}; it should hold a repository on GitHub, owner/name.")
    return text


def own_repository(given: str) -> str:
    """The repository that this clone is of: what was given, else where `origin` leads. Raises Unusable."""
    if given:
        return repository(given, "PIPELINE")
    found = _REMOTE.fullmatch(git("remote", "get-url", "origin"))
    if not found or not _GITHUB.fullmatch(found["host"]):
        where = (
            f"this clone's origin is at {found['host']}" if found else "this clone's origin is no address of a server"
        )
        raise Unusable(f"PIPELINE=owner/name is missing, the pipeline's repository on GitHub: {where}.")
    return repository(found["name"], "origin")


def own_bot(stack: str) -> Bot:
    """The bot of that stack, else the one that CHATOPS_URL and CHATOPS_AUDIENCE name. Raises Unusable."""
    url, audience = (os.environ.get(name, "").strip() for name in ("CHATOPS_URL", "CHATOPS_AUDIENCE"))
    if not stack and not (url and audience):
        raise Unusable(
            "STACK=<the bot's stack> is missing: the workflow must say where the bot is. Without rights on AWS give "
            "the stack's outputs ChatOpsUrl and ChatOpsAudience: CHATOPS_URL=… CHATOPS_AUDIENCE=…"
        )
    try:
        return bot_of(stack) if stack else Bot(url, audience)
    except (Unreadable, ValueError) as error:
        raise Unusable(str(error)) from None


def source(name: str, commit: str) -> tuple[Source, list[str]]:
    """The pipeline at the commit that is checked out here (or `commit`), and what to think of. Raises Unusable."""
    sha = commit or git("rev-parse", "HEAD")
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise Unusable(f"COMMIT is {sha!r}; it should hold the 40 hex digits of a commit of {name}.")
    notes = []
    if not commit and git("status", "--porcelain", "--", ".github"):
        notes.append("What is changed in .github here and not committed is not part of what will be called.")
    if not git("branch", "--remotes", "--contains", sha):
        notes.append(f"Push {sha[:12]} to {name} first: GitHub calls what is there.")
    label = git("describe", "--tags", "--exact-match", sha) or git("log", "-1", "--format=%cs", sha)
    return Source(name, sha, label), notes


def known_target(name: str) -> Target | None:
    """The target as this shell's configuration has it; None where there is no configuration, or no such target yet.

    Raises Unusable for a name that cannot be one, a broken configuration, and a target whose pipeline claims nothing.
    """
    if not _NAME.fullmatch(name):
        raise Unusable(f"TARGET is {name!r}; it should hold a target's name: lower case letters, digits and dashes.")
    try:
        found = targets().get(name)
    except InvalidConfiguration as error:
        if os.environ.get("CHATOPS_TARGETS_FILE", "").strip() or os.environ.get("GITHUB_ID", "").strip():
            raise Unusable(error.text) from None
        return None  # nothing is configured in this shell: the target's name suffices
    if found is not None and not found.claim:
        raise Unusable(f"{name} has claim: false in targets.yaml, and this pipeline claims. Take that line out first.")
    return found


def written(asked: argparse.Namespace) -> tuple[str, list[str]]:
    """The caller's text and what is left to do. Raises Unusable."""
    target = known_target(asked.target)
    event_type = target.event_type if target else f"{asked.target}_deploy"
    name = own_repository(asked.pipeline)
    where = repository(asked.repo, "REPO") if asked.repo else target.repository if target else name
    inside = where.lower() == name.lower()
    bot = own_bot(asked.stack)
    if inside and path_of(asked.target) == PIPELINE:
        raise Unusable(
            f"{name} needs no caller for dev: {PIPELINE} listens to its event itself. Put chatops_url {bot.url} and "
            f"chatops_audience {bot.audience} in the place of its expressions CHATOPS_URL and CHATOPS_AUDIENCE, or "
            "(where an organisation owns it) set variables of these names in the environments dev-build and dev."
        )
    found, notes = (None, []) if inside else source(name, asked.commit)
    if target is None and asked.target != "dev":
        notes.append(f"Give the bot a target {asked.target} in its targets.yaml (targets.example.yaml shows how).")
    text = caller(asked.target, event_type, found.uses if found else HERE, bot=bot)
    return text, [*notes, *_left(asked.target, where, name, inside)]


def _left(target: str, where: str, name: str, inside: bool) -> list[str]:
    access = f"If {name} is private, let {where} use its workflows: there, Settings > Actions > General > Access."
    ids = f'"$(gh api repos/{where} --jq \'"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)"\')"'
    environments = (
        f"Make two environments in {where}, {target}-build and {target}, that admit the default branch only; "
        "docs/configuration.md lists their variables and secrets. Nothing of that belongs to the repository itself."
    )
    roles = f"templates/pipeline-role.yaml with Repository={ids} Environment={target} Workflow='{name}/{PIPELINE}@*'"
    return [
        f"Merge it into the default branch of {where}: events start workflows there only.",
        *([] if inside else [access]),
        environments,
        f"Their roles on AWS: {roles}.",
        f"Then: make doctor STACK=<the bot's stack> TARGET={target}",
    ]


def save(folder: str, target: str, text: str, *, force: bool) -> str:
    """Put it into a clone; the words for it. Raises FileExistsError where another file stands there."""
    if not Path(folder).is_dir():
        raise Unusable(f"OUT is {folder!r}; it should hold a folder, the clone of the target's repository.")
    path = Path(folder) / path_of(target)
    if path.is_file() and path.read_text("utf-8") == text:
        return f"{path} is as it should be."
    if path.exists() and not force:
        raise FileExistsError(f"{path} is another workflow already. FORCE=1 writes over it; without OUT it is shown.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return f"Wrote {path}."


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--target", default="", metavar="NAME", help="the target (needed)")
    parser.add_argument("--stack", default="", metavar="NAME", help="the bot's stack, which says where it is")
    parser.add_argument("--repo", default="", metavar="OWNER/NAME", help="where the caller will stand")
    parser.add_argument("--pipeline", default="", metavar="OWNER/NAME", help="where this pipeline stands")
    parser.add_argument("--commit", default="", metavar="SHA", help="of the pipeline; default: what is checked out")
    parser.add_argument("--out", default="", metavar="FOLDER", help="a clone to write it into")
    parser.add_argument("--force", action="store_true", help="also over another file")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """The command."""
    asked = _arguments(given)
    try:
        text, left = written(asked)
        said = save(asked.out, asked.target, text, force=asked.force) if asked.out else ""
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 1
    if not asked.out:
        print(text, end="", flush=True)
    print("\n".join([*([said] if said else []), *(f"- {line}" for line in left)]), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
