"""Which of two tags is the newer version, by the precedence of https://semver.org/#spec-item-11, and what names of tags
and branches a pattern admits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_TAG = r"""
    (?P<whose>.*[/@]|(?:release|rel|version|ver|v)[-_/]?)?(?P<v>v)?   # api@1.2.3, @acme/web@5.0.0, release-1.2.3
    (?P<numbers>\d{4}-\d\d-\d\d|\d+(?:[._]\d+)*)
    (?P<pre>-[0-9a-z][0-9a-z.-]*|\.?[a-z][0-9a-z.-]*)?
    (?:\+[0-9a-z.-]*)?"""
_SHORT = 7
_ON_BRANCH = re.compile(r"(?P<branch>.+)@(?P<sha>[0-9a-f]{7,40})")
Precedence = tuple[bool, tuple[int, ...], tuple[tuple[bool, int, str], ...]]


def own(tags: Iterable[str], pattern: str) -> list[str]:
    """The tags that a target's `tags` (such as `api@*`) admits; all of them where it has none."""
    return [tag for tag in tags if not pattern or fnmatchcase(tag, pattern)]


def admits(branches: Iterable[str], name: str) -> bool:
    """Whether one of the patterns admits the branch. As in GitHub's rulesets, `*` stands for anything but `/`.
    https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/creating-rulesets-for-a-repository#using-fnmatch-syntax
    """
    parts = name.split("/")
    for pattern in branches:
        wanted = pattern.split("/")
        if len(wanted) == len(parts) and all(map(fnmatchcase, parts, wanted)):
            return True
    return False


def on_branch(branch: str, sha: str) -> str:
    """The version of a branch's commit: `main@1a2b3c4`. Whoever types it means that commit, wherever the branch is."""
    return f"{branch}@{sha[:_SHORT]}"


def of_branch(version: str) -> tuple[str, str]:
    """The branch and the commit's hash of such a version; both empty for any other."""
    found = _ON_BRANCH.fullmatch(version)
    return (found["branch"], found["sha"]) if found else ("", "")


def precedence(tag: str) -> Precedence | None:
    """Sorts versions: pre-releases below every release, then by number; None for a tag that is no version. A number
    that stands alone is none: a date, or a count."""
    # compiled when it is used first: the Slack edge, which imports this, never does
    found = re.fullmatch(_TAG, tag, re.VERBOSE | re.IGNORECASE | re.ASCII)
    if found is None or (found["numbers"].isdecimal() and not (found["whose"] or found["v"])):
        return None
    # numbers are below words, and compared by their value
    parts = [part for part in re.split(r"[.-]", found["pre"] or "") if part]
    return (
        not parts,
        tuple(int(number[:18]) for number in re.findall(r"\d+", found["numbers"])),
        tuple((not part.isdecimal(), int(part[:18]) if part.isdecimal() else 0, part) for part in parts),
    )


def newest(tags: Iterable[str]) -> str:
    """The newest version among the tags, or nothing where none of them is a version."""
    known = [(found, tag) for tag in tags if (found := precedence(tag)) is not None]
    return max(known)[1] if known else ""


def is_older(version: str, than: str) -> bool:
    """Whether both are versions and the first one is older. A branch's commit is neither older nor newer."""
    if any(len(of_branch(each)[1]) == _SHORT for each in (version, than)):
        return False
    one, other = precedence(version), precedence(than)
    return one is not None and other is not None and one < other
