"""Parses what a person typed after a slash command: a known target, a version, and the rest is the reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.reason import Reason
from chatops.domain.typed_text import Word, words
from chatops.domain.version_order import admits
from chatops.values import dataclass

VERSION = re.compile(r"(?=.{1,128}$)(?:@[A-Za-z0-9._-]+/)?[A-Za-z0-9][A-Za-z0-9._+/@-]*")
"""A version anywhere in this project: the characters of tags that need no quoting in any shell. Packages of npm have
tags like `@acme/web@5.0.0`."""

REASON_LIMIT = 500
_HELP = ("help", "--help", "-help", "-h")
_DRY_RUN = ("--dry-run", "-dry-run")
_BREAK_GLASS = ("--break-glass", "-break-glass")
RESERVED = frozenset({"help", "history", "cancel", "status", "rollback", "deploy", "lock", "unlock"})
NO_TARGET = RESERVED | {"for", "until"}
"""Words that a command may have in a target's place: no target has such a name."""
# Nobody begins a sentence with these: three numbers, v and two numbers, a commit, a branch's commit.
_SURELY_VERSION = re.compile(
    r"v?\d+\.\d+\.\d.*|v\d+\.\d.*|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}|.+@[0-9a-f]{7,40}", re.I
)
# A reason may consist of these although no version looks like them: a mention, a link, a ticket's number.
_NO_VERSION_MEANT = re.compile(r"[@#]\S+|https?://\S+", re.ASCII)
_NAMES_A_VERSION = re.compile(r"\d+\.\d+\.\d")


@dataclass(frozen=True)
class Command:
    """A parsed command. `action` is deploy, rollback, status, history, cancel, lock, unlock or help.
    `version_in_reason`: the reason begins with a word that is the version if the ledger has such a release. `seconds`:
    how long a lock lasts, 0 until somebody unlocks. `mistake`: why the command can't be carried out as it was typed;
    the other fields don't count then."""

    action: str
    version: str = ""
    target: str = ""
    reason: str = ""
    version_in_reason: bool = False
    deployment_id: str = ""
    dry_run: bool = False
    break_glass: bool = False
    seconds: int = 0
    mistake: Reason | None = None


def is_version(text: str) -> bool:
    """True for a version that the allow-list accepts. `..` is refused because GitHub's paths would normalise it."""
    return bool(VERSION.fullmatch(text)) and ".." not in text and "//" not in text and not text.endswith("/")


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty where none is close."""
    import difflib  # only for what was mistyped

    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else ""


def _looks_like_version(word: str) -> bool:
    return is_version(word) and any(c.isdigit() for c in word)


def parse_deploy(text: str, targets: Iterable[str], branches: Collection[str] = ()) -> Command:
    """`/platform-deploy [version] [target] [--dry-run] [--break-glass reason…]`, `help`, `history [target]`,
    `cancel [id]`, `lock [target] [for 2h] reason…`, `unlock [target]`; `status` and `rollback` as in their own
    commands. `branches`: patterns of those that a target admits, which are versions and no mistyped targets."""
    known, typed = list(targets), words(text)
    first = _first(typed, known)
    if first in ("help", "history", "cancel"):
        return _subcommand(first, _bare(typed[1:]), known)
    if first in ("status", "unlock"):
        return _target_only(first, _bare(typed[1:]), known)
    if first == "lock":
        return _lock(typed[1:], known)
    if first == "rollback":
        return _reasoned(Command("rollback"), typed[1:], known)
    if first == "deploy":
        typed = typed[1:]
    glass = next((n for n, word in enumerate(typed) if word.bare.lower() in _BREAK_GLASS), len(typed))
    asked = _deploy(_bare(typed[:glass]), known, branches)
    if asked.mistake or glass == len(typed):
        return asked
    asked = replace(_reasoned(replace(asked, break_glass=True), typed[glass + 1 :], known), version_in_reason=False)
    return asked if asked.mistake or asked.reason else replace(asked, mistake=Reason("break_glass_reason"))


def _first(typed: list[Word], known: list[str]) -> str:
    """The subcommand that the first word is, or nothing; a target may bear such a name."""
    word = typed[0].bare.lower() if typed else ""
    if word in _HELP:
        return "help"
    return word if word in RESERVED and word not in known else ""


def _bare(typed: list[Word]) -> list[str]:
    return [word.bare for word in typed]


def _deploy(typed: list[str], known: list[str], branches: Collection[str]) -> Command:
    version = target = ""
    dry_run = False
    for word in typed:
        if word.lower() in _DRY_RUN:
            dry_run = True
        elif word.lower() in known:
            if target not in ("", word.lower()):
                return Command("deploy", mistake=_two(target, word))
            target = word.lower()
        elif word.startswith("-"):
            return Command("deploy", mistake=_option(word, _DRY_RUN[0], _BREAK_GLASS[0]))
        elif not is_version(word):
            return Command("deploy", mistake=Reason("bad_version", word=word[:80]))
        elif version:
            return Command("deploy", mistake=_surplus(word, version, known))
        elif not (_looks_like_version(word) or admits(branches, word)) and (meant := suggest(word, known)):
            return Command("deploy", mistake=Reason("unknown_target", word=word[:80], meant=meant))
        else:
            version = word
    return Command("deploy", version=version, target=target, dry_run=dry_run)


def _option(word: str, *known: str) -> Reason:
    meant = suggest(word, known)
    return (
        Reason("unknown_option_meant", word=word[:80], meant=meant)
        if meant
        else Reason("unknown_option", word=word[:80])
    )


def _two(target: str, word: str) -> Reason:
    return Reason("two_targets", target=target, word=word.lower())


def _surplus(word: str, version: str, known: list[str]) -> Reason:
    """Two words that could be versions: one of them was probably meant to be a target."""
    for candidate in (word, version):
        if meant := suggest(candidate, known):
            return Reason("unknown_target", word=candidate[:80], meant=meant)
    # the one without a digit is the likelier target
    odd = version if not _looks_like_version(version) and _looks_like_version(word) else word
    return Reason("unknown_word", word=odd[:80], targets=", ".join(known))


def _subcommand(action: str, rest: list[str], known: list[str]) -> Command:
    if action == "help":
        return Command("help")
    if action == "cancel":
        if len(rest) > 1 or (rest and not EXECUTION_NAME.fullmatch(rest[0])):
            return Command("cancel", mistake=Reason("bad_id", word=" ".join(rest)[:80]))
        return Command("cancel", deployment_id=rest[0] if rest else "")
    return _target_only("history", rest, known)


def _lock(typed: list[Word], known: list[str]) -> Command:
    from chatops.domain import lock_text  # not needed by other commands

    ends = lock_text.read(_bare(typed), known)
    asked = Command("lock", target=ends.target, seconds=ends.seconds, mistake=ends.mistake)
    if asked.mistake:
        return asked
    reason = typed[ends.used :]
    asked = replace(asked, reason=" ".join(word.typed for word in reason)[:REASON_LIMIT])
    return _target_doubts(asked, _bare(reason), known)


def _target_only(action: str, typed: list[str], known: list[str]) -> Command:
    if not typed:
        return Command(action)
    named = [w.lower() for w in typed if w.lower() in known]
    if len(named) == len(typed):
        other = next((name for name in named if name != named[0]), "")
        return Command(action, mistake=_two(named[0], other)) if other else Command(action, target=named[0])
    odd = next(w for w in typed if w.lower() not in known)
    if meant := suggest(odd, known):
        return Command(action, mistake=Reason("unknown_target", word=odd[:80], meant=meant))
    return Command(action, mistake=Reason("unknown_word", word=odd[:80], targets=", ".join(known)))


def parse_status(text: str, targets: Iterable[str]) -> Command:
    """`/platform-status [target]`, `help`, `history [target]`."""
    known, typed = list(targets), words(text)
    first = _first(typed, known)
    if first in ("help", "history"):
        return _subcommand(first, _bare(typed[1:]), known)
    return _target_only("status", _bare(typed[1:] if first == "status" else typed), known)


def parse_rollback(text: str, targets: Iterable[str]) -> Command:
    """`/platform-rollback [version] [target] [reason…]`, `help`, and `cancel [id]`, `history [target]`, `status
    [target]` where nothing follows them that would make them a reason: "cancel button is broken"."""
    known, typed = list(targets), words(text)
    first, rest = _first(typed, known), _bare(typed[1:])
    if first == "help":
        return Command("help")
    if first == "rollback":
        typed = typed[1:]
    elif first == "cancel" and (not rest or (len(rest) == 1 and EXECUTION_NAME.fullmatch(rest[0]))):
        return _subcommand(first, rest, known)
    elif first in ("history", "status") and all(word.lower() in known for word in rest):
        return _target_only(first, rest, known)
    return _reasoned(Command("rollback"), typed, known)


def _reasoned(asked: Command, typed: list[Word], known: list[str]) -> Command:
    """`[version] [target] [reason…]`: the first word that is neither, or that is known already, begins the reason.

    A word that may be either begins the reason, which then has `version_in_reason`; one that stands alone is a version.
    `--dry-run` may stand anywhere; `--break-glass` is ignored (a rollback needs none). Where the meaning is doubtful
    the command has a mistake.
    """
    asked = replace(asked, dry_run=asked.dry_run or any(word.bare.lower() in _DRY_RUN for word in typed))
    typed = [word for word in typed if word.bare.lower() not in _DRY_RUN + _BREAK_GLASS]
    while typed:
        word = typed[0].bare
        alone = len(typed) == 1 or (len(typed) == 2 and not asked.target and typed[1].bare.lower() in known)
        if word.lower() in known and not asked.target:
            asked = replace(asked, target=word.lower())
        elif not asked.version and is_version(word) and _stands_for_version(word, alone=alone):
            asked = replace(asked, version=word)
        else:
            break
        typed = typed[1:]
    if not typed:
        return asked
    reason = " ".join(word.typed for word in typed)[:REASON_LIMIT]
    unsure = not asked.version and _looks_like_version(typed[0].bare)
    return _doubts(replace(asked, reason=reason, version_in_reason=unsure), _bare(typed), known)


def _stands_for_version(word: str, *, alone: bool) -> bool:
    return bool(_SURELY_VERSION.fullmatch(word)) or (alone and _looks_like_version(word))


def _doubts(asked: Command, reason: list[str], known: list[str]) -> Command:
    """The command, with a mistake where its reason begins with an option, a version or a target that was mistyped."""
    word = reason[0]
    if not word.startswith("-") and not asked.version and _meant_as_version(word, alone=len(reason) == 1):
        return replace(asked, mistake=Reason("bad_version", word=word[:80]))
    return _target_doubts(asked, reason, known)


def _target_doubts(asked: Command, reason: list[str], known: list[str]) -> Command:
    """The command, with the target that only its reason names, or a mistake about its target or an option."""
    word = reason[0]
    mistake: Reason | None = None
    if word.startswith("-") and len(word) > 1:
        mistake = _option(word, _DRY_RUN[0])
    elif asked.target and word.lower() in known and word.lower() != asked.target:
        mistake = _two(asked.target, word)
    elif not asked.target and (len(known) > 1 or len(reason) == 1) and (meant := _mistyped(word, known)):
        mistake = Reason("unknown_target", word=word[:80], meant=meant)
    if mistake is None and not asked.target and len(known) > 1:
        # "login broken in prod": with several targets it must not become the default one
        named = dict.fromkeys(w.lower() for w in reason if w.lower() in known)
        if len(named) == 1:
            return replace(asked, target=next(iter(named)))
        if named:
            mistake = _two(*list(named)[:2])
    return replace(asked, mistake=mistake)


def _mistyped(word: str, known: list[str]) -> str:
    return "" if word.lower() in known else suggest(word, known)


def _meant_as_version(word: str, *, alone: bool) -> bool:
    """True for a word that isn't a valid version, although somebody meant one: it would be lost in a reason."""
    if is_version(word) or _NO_VERSION_MEANT.fullmatch(word):
        return False
    if not alone:
        return bool(_NAMES_A_VERSION.search(word))
    odd = any(c.isdigit() or not c.isprintable() or c in "$`;|\\" for c in word)
    return odd or ".." in word or "//" in word
