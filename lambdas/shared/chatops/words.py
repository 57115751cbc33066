"""What a person typed after a slash command, told apart by kind: a known target, a version, the rest is the reason.

Pure and small: the Slack edge answers with it inside three seconds, before anything is started.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,127}")
"""What may be called a version anywhere in this project: the characters of tags that need no quoting in any shell."""

REASON_LIMIT = 500
RESERVED = frozenset({"help", "history", "cancel"})
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
    """`/platform-deploy [version] [target] [--dry-run]`, `help`, `history [target]`, `cancel [id]`."""
    known = list(targets)
    words = _split(text)
    if words and words[0].lower() in RESERVED and words[0].lower() not in known:
        return _subcommand(words[0].lower(), words[1:], known)
    version = target = ""
    dry_run = False
    for word in words:
        if word.lower() in ("--dry-run", "-dry-run"):
            dry_run = True
        elif word.lower() in known and not target:
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
        if len(rest) > 1 or (rest and not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", rest[0])):
            return Words("cancel", mistake=Mistake("bad_id", {"word": " ".join(rest)[:80]}))
        return Words("cancel", deployment_id=rest[0] if rest else "")
    return _target_only("history", rest, known)


def _target_only(action: str, words: list[str], known: list[str]) -> Words:
    if not words:
        return Words(action)
    if len(words) == 1 and words[0].lower() in known:
        return Words(action, target=words[0].lower())
    odd = next((w for w in words if w.lower() not in known), words[-1])
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
    """`/platform-rollback [version] [target] [reason…]`: the first word that is neither begins the reason."""
    known = list(targets)
    words = _split(text)
    if words and words[0].lower() == "help":
        return Words("help")
    version = target = ""
    while words:
        word = words[0]
        if word.lower() in known and not target:
            target = word.lower()
        elif _looks_like_version(word) and not version:
            version = word
        else:
            break
        words.pop(0)
    if words and words[0].startswith("-"):
        return Words("rollback", mistake=Mistake("unknown_option", {"word": words[0][:80]}))
    if words and any(c in words[0] for c in '$`;|&<>"\\') and not version:
        return Words("rollback", mistake=Mistake("bad_version", {"word": words[0][:80]}))
    if len(words) == 1 and not target and (meant := suggest(words[0], known)):
        return Words("rollback", mistake=Mistake("unknown_target", {"word": words[0][:80], "meant": meant}))
    return Words("rollback", version=version, target=target, reason=" ".join(words)[:REASON_LIMIT])
