"""Parses what a person typed after a slash command: a known target, a version, and the rest is the reason."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.reason import Reason

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,127}")
"""A version anywhere in this project: the characters of tags that need no quoting in any shell."""

REASON_LIMIT = 500
_DRY_RUN = ("--dry-run", "-dry-run")
_BREAK_GLASS = ("--break-glass", "-break-glass")
RESERVED = frozenset({"help", "history", "cancel"})
# A reason may begin with these although no version looks like them: a mention, a link, a ticket's number.
_NO_VERSION_MEANT = re.compile(r"<[@#!][^>]*>\S{0,2}|<?https?://\S+|#\d+[.,:]?", re.ASCII)
# These begin a reason although they would pass as a version: `5xx errors`, `p99 latency`, `503 at checkout`.
_SYMPTOM = re.compile(r"[1-5]xx|p\d{2,3}|[1-5]\d\d", re.ASCII | re.IGNORECASE)
_DASHES = str.maketrans({"\u2014": "--", "\u2013": "-", "\u2212": "-", "\u00a0": " "})


@dataclass(frozen=True)
class Command:
    """A parsed command. `action` is deploy, rollback, status, history, cancel or help. `mistake`: why it can't be
    carried out as it was typed; the other fields don't count then."""

    action: str
    version: str = ""
    target: str = ""
    reason: str = ""
    deployment_id: str = ""
    dry_run: bool = False
    break_glass: bool = False
    mistake: Reason | None = None


def is_version(text: str) -> bool:
    """True for a version that the allow-list accepts. `..` is refused because GitHub's paths would normalise it."""
    return bool(VERSION.fullmatch(text)) and ".." not in text and "//" not in text and not text.endswith("/")


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty where none is close."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else ""


def _split(text: str) -> list[str]:
    # Slack clients turn "--" into a dash while one types.
    return text.translate(_DASHES).split()


def _looks_like_version(word: str) -> bool:
    return is_version(word) and any(c.isdigit() for c in word)


def parse_deploy(text: str, targets: Iterable[str]) -> Command:
    """`/platform-deploy [version] [target] [--dry-run] [--break-glass reason…]`, `help`, `history [target]`,
    `cancel [id]`."""
    known = list(targets)
    words = _split(text)
    if words and words[0].lower() in RESERVED and words[0].lower() not in known:
        return _subcommand(words[0].lower(), words[1:], known)
    glass = next((n for n, word in enumerate(words) if word.lower() in _BREAK_GLASS), len(words))
    asked = _deploy(words[:glass], known)
    if asked.mistake or glass == len(words):
        return asked
    asked = _reasoned(replace(asked, break_glass=True), words[glass + 1 :], known)
    return asked if asked.mistake or asked.reason else replace(asked, mistake=Reason("break_glass_reason"))


def _deploy(words: list[str], known: list[str]) -> Command:
    version = target = ""
    dry_run = False
    for word in words:
        if word.lower() in _DRY_RUN:
            dry_run = True
        elif word.lower() in known:
            if target not in ("", word.lower()):
                return Command("deploy", mistake=_two(target, word))
            target = word.lower()
        elif word.startswith("-"):
            return Command("deploy", mistake=Reason("unknown_option", word=word[:80]))
        elif not is_version(word):
            return Command("deploy", mistake=Reason("bad_version", word=word[:80]))
        elif version:
            return Command("deploy", mistake=_surplus(word, version, known))
        elif not _looks_like_version(word) and (meant := suggest(word, known)):
            return Command("deploy", mistake=Reason("unknown_target", word=word[:80], meant=meant))
        else:
            version = word
    return Command("deploy", version=version, target=target, dry_run=dry_run)


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


def _target_only(action: str, words: list[str], known: list[str]) -> Command:
    if not words:
        return Command(action)
    named = [w.lower() for w in words if w.lower() in known]
    if len(named) == len(words):
        other = next((name for name in named if name != named[0]), "")
        return Command(action, mistake=_two(named[0], other)) if other else Command(action, target=named[0])
    odd = next(w for w in words if w.lower() not in known)
    if meant := suggest(odd, known):
        return Command(action, mistake=Reason("unknown_target", word=odd[:80], meant=meant))
    return Command(action, mistake=Reason("unknown_word", word=odd[:80], targets=", ".join(known)))


def parse_status(text: str, targets: Iterable[str]) -> Command:
    """`/platform-status [target]`."""
    words = _split(text)
    if words and words[0].lower() == "help":
        return Command("help")
    return _target_only("status", words, list(targets))


def parse_rollback(text: str, targets: Iterable[str]) -> Command:
    """`/platform-rollback [version] [target] [reason…]`."""
    known = list(targets)
    words = _split(text)
    first = words[0].lower() if words else ""
    if first in RESERVED and first not in known:
        return _subcommand(first, words[1:], known)
    return _reasoned(Command("rollback"), words, known)


def _reasoned(asked: Command, words: list[str], known: list[str]) -> Command:
    """`[version] [target] [reason…]`: the first word that is neither, or that is known already, begins the reason.

    `--dry-run` may stand anywhere; `--break-glass` is ignored (a rollback needs none). Where the meaning is doubtful
    the command has a mistake.
    """
    asked = replace(asked, dry_run=asked.dry_run or any(word.lower() in _DRY_RUN for word in words))
    words = [word for word in words if word.lower() not in _DRY_RUN + _BREAK_GLASS]
    while words:
        word = words[0]
        if word.lower() in known and not asked.target:
            asked = replace(asked, target=word.lower())
        elif _looks_like_version(word) and not asked.version and not (words[1:] and _SYMPTOM.fullmatch(word)):
            asked = replace(asked, version=word)
        else:
            break
        words.pop(0)
    asked = replace(asked, reason=" ".join(words)[:REASON_LIMIT])
    return _doubts(asked, words, known) if words else asked


def _doubts(asked: Command, reason: list[str], known: list[str]) -> Command:
    """The command, with a mistake where its reason begins with an option, a version or a target that was mistyped."""
    word = reason[0]
    mistake: Reason | None = None
    if word.startswith("-") and len(word) > 1:
        mistake = Reason("unknown_option", word=word[:80])
    elif not asked.version and _meant_as_version(word):
        mistake = Reason("bad_version", word=word[:80])
    elif asked.target and word.lower() in known and word.lower() != asked.target:
        mistake = _two(asked.target, word)
    elif not asked.target and (len(known) > 1 or len(reason) == 1) and (meant := _mistyped(word, known)):
        mistake = Reason("unknown_target", word=word[:80], meant=meant)
    if mistake is None and not asked.target and len(known) > 1:
        # "login broken in prod": with several targets it must not become the default one
        named = dict.fromkeys(w for w in (w.strip(".,:;!?()\"'“”").lower() for w in reason) if w in known)
        if len(named) == 1:
            return replace(asked, target=next(iter(named)))
        if named:
            mistake = _two(*list(named)[:2])
    return replace(asked, mistake=mistake)


def _mistyped(word: str, known: list[str]) -> str:
    return "" if word.lower() in known else suggest(word, known)


def _meant_as_version(word: str) -> bool:
    """True for a word that is neither a version nor the beginning of a sentence, so it would be lost in a reason."""
    if is_version(word) or _NO_VERSION_MEANT.fullmatch(word):
        return False
    core = word.rstrip(".,;:!?") or word
    odd = any(c.isdigit() or not c.isprintable() or c in "$`;|\\" for c in core)
    return odd or ".." in core or "//" in core
