"""What a scanner is told to overlook has its reason beside it, and the scanners themselves stay in the gate."""

from __future__ import annotations

import re

import pytest

from tests.unit.test_lock_files import ROOT
from tests.unit.test_template_rules import FUNCTIONS, MACHINES, RESOURCES, TEMPLATE, statements

SHIPPED = [
    *sorted((ROOT / "lambdas").rglob("*.py")),
    *sorted((ROOT / ".github").rglob("*.py")),
    *sorted((ROOT / "doctor").rglob("*.py")),
    *sorted((ROOT / "local").rglob("*.py")),
    *sorted((ROOT / "fakes").rglob("*.py")),
    *sorted((ROOT / "pipeline").rglob("*.py")),
    *sorted((ROOT / "scripts").glob("*.py")),
]
OVERLOOKED = re.compile(r"#\s*(noqa|nosec|type:\s*ignore)\b(.*)")
EXPLAINED = re.compile(r"(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w, -]+\])\s*(-|#)\s+\w+")
TOOLS = {"policies", "bandit", "checkov", "zizmor", "actionlint", "template", "sam", "lint", "types", "definition"}


def unexplained(text: str) -> list[str]:
    """The lines that silence a rule without naming it and saying why."""
    return [
        line.strip()
        for line in text.splitlines()
        if (found := OVERLOOKED.search(line)) and not EXPLAINED.match(found[2].strip())
    ]


@pytest.mark.parametrize("line", ["x()  # noqa", "x()  # noqa: S101", "x()  # nosec", "x()  # type: ignore[misc]"])
def test_a_line_without_a_reason_would_be_found(line: str) -> None:
    assert unexplained(line)
    assert not unexplained("x()  # noqa: S101 - for the type checker")


def test_every_rule_that_is_silenced_says_why() -> None:
    found = {str(path.relative_to(ROOT)): unexplained(path.read_text("utf-8")) for path in SHIPPED}
    assert not {path: lines for path, lines in found.items() if lines}


def test_every_check_that_checkov_skips_has_a_comment_above_it() -> None:
    lines = (ROOT / ".checkov.yaml").read_text("utf-8").splitlines()
    above = ""
    skipped = 0
    for line in lines[lines.index("skip-check:") + 1 :]:
        if line.strip().startswith("- "):
            skipped += 1
            assert above.startswith(("#", "- CKV")), line  # one reason may stand above several
        above = line.strip()
    assert skipped
    assert not re.search(r"checkov\s*:\s*\n|checkov:skip|cfn-lint:", (ROOT / "template.yaml").read_text("utf-8"))


SILENCED = {"ci.yml": ["zizmor: ignore[unpinned-images] its digest is not known here"]}
"""A tag may move. It runs AWS's local engine in a job that may read the commit and nothing else."""


def test_nothing_else_in_the_workflows_is_silenced() -> None:
    found = {
        path.name: lines
        for path in sorted((ROOT / ".github").rglob("*.y*ml"))
        if (lines := re.findall(r"(?:zizmor:\s*ignore|actionlint|shellcheck disable).*", path.read_text("utf-8")))
    }
    assert found == SILENCED
    assert not list((ROOT / ".github").glob("*zizmor*"))


def test_every_tool_stays_in_the_gate() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    listed = re.search(r"^CHECKS := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert listed
    assert {f"check-{tool}" for tool in TOOLS} <= set(listed[1].replace("\\", " ").split())


WILD = {
    "states:SendTaskSuccess": {"SlackFunction", "PlanFunction", "StageFunction", "SweepFunction", "WakeFunction"},
}
"""A task token is its own permission, so the action knows no resources: only those who hear from outside have it, and
`plan`, for a rollback that goes ahead of a deployment that waits."""


def test_only_those_who_answer_hold_a_task_tokens_wildcard() -> None:
    holders: dict[str, set[str]] = {}
    for name in [*FUNCTIONS, *MACHINES]:
        for each in statements(RESOURCES[name]["Properties"]):
            if each["Resource"] == "*":
                for action in each["Action"]:
                    holders.setdefault(action, set()).add(name)
    assert {action: who for action, who in holders.items() if action.startswith("states:")} == WILD


def test_every_wildcard_has_its_reason_above_it() -> None:
    for path in (ROOT / "template.yaml", *sorted((ROOT / "templates").glob("*.yaml"))):
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.search(r'Resource:\s*"\*"', line):
                start = max(n for n in range(number) if "- Sid:" in lines[n])
                assert lines[start - 1].strip().startswith("#"), (path.name, lines[start])


def test_sweep_has_a_queue_for_what_it_never_handled_and_the_queue_an_alarm() -> None:
    """For the calls that failed, and for each rule whose event never arrived."""
    sweep = FUNCTIONS["SweepFunction"]
    assert "UndeliveredEvents" in str(sweep["DeadLetterQueue"]["TargetArn"])
    assert sweep["EventInvokeConfig"]["MaximumRetryAttempts"] <= 2
    for name, event in sweep["Events"].items():
        assert "UndeliveredEvents" in str(event["Properties"]["DeadLetterConfig"]["Arn"]), name
    alarms = [
        each["Properties"]
        for each in TEMPLATE["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm" and "UndeliveredEvents" in str(each["Properties"].get("Dimensions"))
    ]
    assert [each["MetricName"] for each in alarms] == ["ApproximateNumberOfMessagesVisible"]
    assert alarms[0]["Threshold"] == 0
