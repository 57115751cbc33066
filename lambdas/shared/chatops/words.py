"""What a person typed after a slash command, told apart by kind: a known target, a version, the rest is the reason.

Pure and small: the Slack edge answers with it inside three seconds, before anything is started.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from chatops.ids import EXECUTION_NAME

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,127}")
"""What may be called a version anywhere in this project: the characters of tags that need no quoting in any shell."""

REASON_LIMIT = 500
_DRY_RUN = ("--dry-run", "-dry-run")
_BREAK_GLASS = ("--break-glass", "-break-glass")
RESERVED = frozenset({"help", "history", "cancel"})
# What a reason may well begin with although no version looks like it: a mention, a link, a ticket's number.
_NO_VERSION_MEANT = re.compile(r"<[@#!][^>]*>\S{0,2}|<?https?://\S+|#\d+[.,:]?", re.ASCII)
# What begins a reason although it would pass for a version: `5xx errors`, `p99 latency`, `503 at checkout`.
_SYMPTOM = re.compile(r"[1-5]xx|p\d{2,3}|[1-5]\d\d", re.ASCII | re.IGNORECASE)
_DASHES = str.maketrans({"\u2014": "--", "\u2013": "-", "\u2212": "-", "\u00a0": " "})


@dataclass(frozen=True)
class Mistake:
    """What is wrong with the words, as a catalogue key and its placeholders."""

    key: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """A command, understood. `action` is deploy, rollback, status, history, cancel or help."""

    action: str
    version: str = ""
    target: str = ""
    reason: str = ""
    deployment_id: str = ""
    dry_run: bool = False
    break_glass: bool = False
    mistake: Mistake | None = None


def is_version(text: str) -> bool:
    """True for what the allow-list lets through. `..` is refused because GitHub's paths would normalise it."""
    return bool(VERSION.fullmatch(text)) and ".." not in text and "//" not in text and not text.endswith("/")


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else ""


def _split(text: str) -> list[str]:
    # Slack clients turn "--" into a dash while one types.
    return text.translate(_DASHES).split()


def _looks_like_version(word: str) -> bool:
    return is_version(word) and any(c.isdigit() for c in word)


def parse_deploy(text: str, targets: Iterable[str]) -> Words:
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
    return asked if asked.mistake or asked.reason else replace(asked, mistake=Mistake("break_glass_reason"))


def _deploy(words: list[str], known: list[str]) -> Words:
    version = target = ""
    dry_run = False
    for word in words:
        if word.lower() in _DRY_RUN:
            dry_run = True
        elif word.lower() in known:
            if target not in ("", word.lower()):
                return Words("deploy", mistake=_two(target, word))
            target = word.lower()
        elif word.startswith("-"):
            return Words("deploy", mistake=Mistake("unknown_option", {"word": word[:80]}))
        elif not is_version(word):
            return Words("deploy", mistake=Mistake("bad_version", {"word": word[:80]}))
        elif version:
            return Words("deploy", mistake=_surplus(word, version, known))
        elif not _looks_like_version(word) and (meant := suggest(word, known)):
            return Words("deploy", mistake=Mistake("unknown_target", {"word": word[:80], "meant": meant}))
        else:
            version = word
    return Words("deploy", version=version, target=target, dry_run=dry_run)


def _two(target: str, word: str) -> Mistake:
    return Mistake("two_targets", {"target": target, "word": word.lower()})


def _surplus(word: str, version: str, known: list[str]) -> Mistake:
    """Two words that could be versions: one of them was probably meant to be a target."""
    for candidate in (word, version):
        if meant := suggest(candidate, known):
            return Mistake("unknown_target", {"word": candidate[:80], "meant": meant})
    # the one without a digit is the likelier target
    odd = version if not _looks_like_version(version) and _looks_like_version(word) else word
    return Mistake("unknown_word", {"word": odd[:80], "targets": ", ".join(known)})


def _subcommand(action: str, rest: list[str], known: list[str]) -> Words:
    if action == "help":
        return Words("help")
    if action == "cancel":
        if len(rest) > 1 or (rest and not EXECUTION_NAME.fullmatch(rest[0])):
            return Words("cancel", mistake=Mistake("bad_id", {"word": " ".join(rest)[:80]}))
        return Words("cancel", deployment_id=rest[0] if rest else "")
    return _target_only("history", rest, known)


def _target_only(action: str, words: list[str], known: list[str]) -> Words:
    if not words:
        return Words(action)
    named = [w.lower() for w in words if w.lower() in known]
    if len(named) == len(words):
        other = next((name for name in named if name != named[0]), "")
        return Words(action, mistake=_two(named[0], other)) if other else Words(action, target=named[0])
    odd = next(w for w in words if w.lower() not in known)
    if meant := suggest(odd, known):
        return Words(action, mistake=Mistake("unknown_target", {"word": odd[:80], "meant": meant}))
    return Words(action, mistake=Mistake("unknown_word", {"word": odd[:80], "targets": ", ".join(known)}))


def parse_status(text: str, targets: Iterable[str]) -> Words:
    """`/platform-status [target]`."""
    words = _split(text)
    if words and words[0].lower() == "help":
        return Words("help")
    return _target_only("status", words, list(targets))


def parse_rollback(text: str, targets: Iterable[str]) -> Words:
    """`/platform-rollback [version] [target] [reason…]`."""
    known = list(targets)
    words = _split(text)
    first = words[0].lower() if words else ""
    if first in RESERVED and first not in known:
        return _subcommand(first, words[1:], known)
    return _reasoned(Words("rollback"), words, known)


def _reasoned(asked: Words, words: list[str], known: list[str]) -> Words:
    """`[version] [target] [reason…]`: the first word that is neither, or that is known already, begins the reason.

    `--dry-run` may stand anywhere; `--break-glass` says nothing here (a rollback needs none). Where it is doubtful what
    is meant, nothing happens: a mistake is answered.
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


def _doubts(asked: Words, reason: list[str], known: list[str]) -> Words:
    """With a reason: does it begin with an option, a version or a target that was mistyped?"""
    word = reason[0]
    mistake: Mistake | None = None
    if word.startswith("-") and len(word) > 1:
        mistake = Mistake("unknown_option", {"word": word[:80]})
    elif not asked.version and _meant_as_version(word):
        mistake = Mistake("bad_version", {"word": word[:80]})
    elif asked.target and word.lower() in known and word.lower() != asked.target:
        mistake = _two(asked.target, word)
    elif not asked.target and (len(known) > 1 or len(reason) == 1) and (meant := _mistyped(word, known)):
        mistake = Mistake("unknown_target", {"word": word[:80], "meant": meant})
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
    """True for what is no version and no beginning of a sentence either: it would be lost as part of a reason."""
    if is_version(word) or _NO_VERSION_MEANT.fullmatch(word):
        return False
    core = word.rstrip(".,;:!?") or word
    odd = any(c.isdigit() or not c.isprintable() or c in "$`;|\\" for c in core)
    return odd or ".." in core or "//" in core
