"""`python -m doctor`: look at an installation, and say for each fault what to do.

Exit status 0 when nothing failed, 1 when something did, 2 where there was nothing to look at (a mistake in the words,
no such stack).
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from doctor import deployed, show
from doctor.checks import CHECKS
from doctor.clients import Aws
from doctor.deployed import NoStack
from doctor.installation import Installation, secrets_of
from doctor.result import NoAnswer, NotLooked, State
from doctor.runner import Finding, examine


class Unusable(Exception):
    """There is no such installation or target; the text says what there is."""


def from_environment(target: str = "") -> Installation:
    """What the variables of this process describe."""
    env = dict(os.environ)
    region = env.get("AWS_REGION", "").strip() or env.get("AWS_DEFAULT_REGION", "").strip()
    return Installation(env=env, secrets=secrets_of(env, {}), aws=Aws(region), only=target)


def report(installation: Installation, *, as_json: bool = False, quiet: bool = False) -> int:
    """Ask everything and print it as it comes; the exit status."""
    if installation.only and installation.only not in installation.read.targets:
        known = ", ".join(installation.read.targets) or "none could be read"
        raise Unusable(f"There is no target {installation.only!r}; the targets are: {known}.")
    findings: list[Finding] = []
    for finding in examine(installation, CHECKS):
        findings.append(finding)
        if not as_json and not (quiet and finding.result.state is State.OK):
            _say(installation, show.lines(finding))
    _say(installation, [show.as_json(findings)] if as_json else ["", show.summary(findings)])
    return 1 if any(finding.result.state is State.FAILED for finding in findings) else 0


@contextmanager
def _installation(asked: argparse.Namespace) -> Iterator[Installation]:
    if asked.stack:
        yield deployed.installation(asked.stack, asked.target)
        return
    if not asked.local:
        yield from_environment(asked.target)
        return
    if asked.fault and asked.fault not in _faults():
        raise Unusable(f"There is no fault {asked.fault!r}; FAULT=list names them.")
    from doctor.local_run import started
    from local.checked import Wrong, checked
    from local.settings import ignore_aws_files

    ignore_aws_files()
    try:
        checked()
    except Wrong as error:
        raise Unusable(str(error)) from None
    with started(asked.fault, asked.target) as found:
        yield found


def _faults() -> list[str]:
    from local.misconfigured import FAULTS

    return list(FAULTS)


def _say(installation: Installation, lines: Iterable[str]) -> None:
    print(show.concealed("\n".join(lines), installation.concealed), flush=True)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m doctor", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack", default="", metavar="NAME", help="look at this stack, with your rights on AWS")
    parser.add_argument("--target", default="", metavar="NAME", help="look at this target only (default: all)")
    parser.add_argument("--local", action="store_true", help="look at the local run, which is started for it")
    parser.add_argument("--fault", default="", metavar="NAME", help="with --local: something wrong; list: their names")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--quiet", action="store_true", help="leave out what is in order")
    asked = parser.parse_args(given)
    asked.local = asked.local or bool(asked.fault)
    return asked


def main(given: Sequence[str] | None = None) -> int:
    """The command."""
    asked = _arguments(given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without these signs shows the words beside them
    if asked.fault == "list":
        print("\n".join(_faults()))
        return 0
    try:
        with _installation(asked) as found:
            return report(found, as_json=asked.json, quiet=asked.quiet)
    except (Unusable, NoStack, NoAnswer) as error:
        print(error, file=sys.stderr)
        return 2
    except NotLooked as error:
        print(f"There is nothing to look at: {error}. {error.todo}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
