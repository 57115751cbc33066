"""What can be wrong with the workflow on the default branch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from fakes.github.files import CI, OWNERS, SCRIPTS, pipeline
from local.misconfigured.fault import Environment, Fault
from pipeline.caller import FOLDER

if TYPE_CHECKING:
    from local.session import Session

WORKFLOW, DEV, STAGING = "workflow", f"{FOLDER}/dev_deploy.yml", f"{FOLDER}/staging_deploy.yml"
Apply = Callable[["Session", Environment], None]


def written(path: str, change: Callable[[str], str]) -> Apply:
    """The file with this change; an empty text removes it."""

    def apply(session: Session, _: Environment) -> None:
        files = session.github.default_repository.files["main"]
        before = files.pop(path, "")
        if after := change(before):
            assert after != before, path  # noqa: S101 - a fault that changes nothing would be found by nobody
            files[path] = after

    return apply


def replaced(path: str, old: str, new: str) -> Apply:
    return written(path, lambda text: text.replace(old, new))


def _elsewhere(session: Session, _: Environment) -> None:
    found = session.github.default_repository
    found.add_commit("Deploy from Slack", session.clock.now(), branch="chatops")
    found.files["chatops"] = dict(found.files["main"])
    _none(session, _)


def _none(session: Session, _: Environment) -> None:
    files = session.github.default_repository.files
    files["main"] = {f"{FOLDER}/ci.yml": CI, OWNERS: files["main"][OWNERS]}


def _disabled(state: str) -> Apply:
    def apply(session: Session, _: Environment) -> None:
        session.github.default_repository.workflow_states[DEV] = state

    return apply


def _renamed(session: Session, _: Environment) -> None:
    files = session.github.default_repository.files["main"]
    files[f"{FOLDER}/ship.yml"] = files.pop(DEV)
    for name in ("staging", "batch", "vm"):
        path = f"{FOLDER}/{name}_deploy.yml"
        files[path] = files[path].replace("dev_deploy.yml", "ship.yml")


def _decides(session: Session, _: Environment) -> None:
    session.github.default_repository.protection_rules["dev-build"] = ("change-control",)


def _decides_over_releases(session: Session, env: Environment) -> None:
    session.github.default_repository.protection_rules["dev"] = ("change-control",)
    env["GITHUB_DEPLOYMENTS"] = "true"


def _recorded_twice(session: Session, env: Environment) -> None:
    replaced(DEV, "      deployment: ${{ !github.event.client_payload.github_deployment }}\n", "")(session, env)
    env["GITHUB_DEPLOYMENTS"] = "true"


def _second(session: Session, _: Environment) -> None:
    session.github.default_repository.files["main"][f"{FOLDER}/old.yml"] = pipeline()


def _step(text: str, name: str) -> str:
    """A step of the file, in the first job that has it."""
    start = text.index(f"      - name: {name}\n")
    end = text.find("\n      - name: ", start)
    return text[start : end + 1]


def _claim_last(whole: str) -> str:
    before, build, text = whole.partition("  build:\n    name: ")
    claim, tests = _step(text, "Claim the stage"), _step(text, "Look at the tests")
    return before + build + text.replace(claim + tests, tests + claim, 1)


def _gone(_: str) -> str:
    return ""


def _dev(name: str, says: str, apply: Apply, *, grave: bool = True) -> Fault:
    return Fault(name, WORKFLOW, says, apply, subject="dev", grave=grave)


WORKFLOWS = (
    Fault("no-workflow", WORKFLOW, "listens to repository_dispatch", _none),
    Fault("workflow-on-another-branch", WORKFLOW, "stands on the branch chatops of acme/checkout-api only", _elsewhere),
    _dev("workflow-for-another-event", "listens to live, and no", replaced(DEV, "[dev_deploy]", "[live]")),
    _dev(
        "workflow-is-no-yaml",
        "dev_deploy.yml on main of acme/checkout-api cannot be read: line",
        replaced(DEV, ": ", ":\t{"),
    ),
    _dev("workflow-disabled", "somebody disabled it", _disabled("disabled_manually")),
    _dev("workflow-asleep", "nothing happened in the repository for 60 days", _disabled("disabled_inactivity")),
    _dev("two-workflows", "dev_deploy.yml and .github/workflows/old.yml", _second),
    _dev("workflow-in-another-file", f"for runs of {DEV}", _renamed),
    _dev("no-run-name", "it has no run-name", replaced(DEV, "run-name: ", "x-name: ")),
    _dev(
        "run-name-of-ones-own", "its run-name is", replaced(DEV, 'client_payload.stage }}"\n\non:', 'run_id }}"\n\non:')
    ),
    _dev("no-claim", "no job of it claims its stage", replaced(DEV, 'chatops_stage.py" claim', 'hello.py"')),
    _dev("no-report", "no job of it reports its stage", replaced(DEV, 'chatops_stage.py" finish', 'bye.py"')),
    _dev("claim-too-late", "differs from this checkout's", written(DEV, _claim_last), grave=False),
    _dev("build-with-tests", "in job build", replaced(DEV, 'chatops_stage.py" tests', 'run_tests.sh"'), grave=False),
    _dev(
        "an-app-decides",
        "the GitHub App change-control decides over deployments to the environment dev-build",
        _decides,
    ),
    _dev("an-app-decides-over-releases", "over deployments to the environment dev", _decides_over_releases),
    _dev("recorded-twice", "and the bot writes one as well", _recorded_twice, grave=False),
    Fault(
        "caller-grants-too-little",
        WORKFLOW,
        "lacks under permissions what make caller writes (id-token: write)",
        written(STAGING, lambda text: re.sub(r"      id-token: .*\n", "", text)),
        subject="staging",
    ),
    Fault(
        "caller-keeps-its-secrets",
        WORKFLOW,
        "job stage lacks under secrets what make caller writes (AWS_REGION",
        written(STAGING, lambda text: text.partition("    secrets:\n")[0]),
        subject="staging",
        grave=False,
    ),
    Fault(
        "scripts-left-behind", WORKFLOW, "it uses $/.github/actions/scripts, which is not in", written(SCRIPTS, _gone)
    ),
)
