"""Asks every question, goes on after failures, and leaves out what cannot be answered any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from chatops.domain.errors import InvalidConfiguration
from doctor.installation import Installation
from doctor.result import NoAnswer, NotLooked, Result, State, failed, skipped


class Scope(Enum):
    """What a check is asked about: the installation once, each repository, or each target."""

    INSTALLATION = "installation"
    REPOSITORY = "repository"
    TARGET = "target"


@dataclass(frozen=True)
class Check:
    """One question. `look` is given the installation and the subject (a repository's or a target's name, or nothing);
    `needs` names the checks without whose success it has no answer."""

    name: str
    scope: Scope
    look: Callable[[Installation, str], Iterable[Result]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """An answer, with its question and subject."""

    check: str
    subject: str
    result: Result


def examine(installation: Installation, checks: Sequence[Check]) -> Iterator[Finding]:
    """All findings, in the order of the checks."""
    broken = installation.broken
    for check in checks:
        subjects = _subjects(installation, check.scope)
        if not subjects:
            yield Finding(check.name, "", skipped("Not looked at: no target could be read; see configuration."))
        for subject in subjects:
            reason = _obstacle(installation, check, subject)
            results = [skipped(f"Not looked at: {reason}.")] if reason else _looked(check, installation, subject)
            if reason or any(result.state is State.FAILED for result in results):
                broken.add((check.name, subject))
            yield from (Finding(check.name, subject, result) for result in results)


def _subjects(installation: Installation, scope: Scope) -> tuple[str, ...]:
    if scope is Scope.TARGET:
        return tuple(installation.targets)
    return installation.repositories if scope is Scope.REPOSITORY else ("",)


def _obstacle(installation: Installation, check: Check, subject: str) -> str:
    places = {"", subject}
    if check.scope is Scope.TARGET:
        places.add(installation.targets[subject].repository)
    return next((f"see {name}" for name in check.needs for place in places if (name, place) in installation.broken), "")


def _looked(check: Check, installation: Installation, subject: str) -> list[Result]:
    found: list[Result] = []
    try:
        found.extend(check.look(installation, subject))
    except NotLooked as why:
        found.append(skipped(f"Not looked at: {why}.", why.todo))
    except NoAnswer as why:
        found.append(
            failed(
                f"{why}.",
                "What it would have said is not known; the bot may not reach it either.",
                "Try again in a minute. If it stays, look at this machine's network and proxy, and at the service's "
                "status page.",
            )
        )
    except InvalidConfiguration as error:
        found.append(failed(error.text, "Nothing that needs this setting works.", "Set it as the sentence says."))
    except Exception as error:  # noqa: BLE001 - the other checks go on; the text of a stranger's error may hold a secret
        found.append(
            failed(
                f"The check itself broke ({type(error).__name__}).",
                "What it asks is not answered.",
                "Run it again with DEBUG=1, which shows where, and report that: it is a mistake in this program.",
            )
        )
    return found
