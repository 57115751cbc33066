"""targets.yaml: what it may say, and how an error names file, line and field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.target import Target, Timing
from chatops.messages.english import english_text
from chatops.settings.targets import targets
from chatops.settings.targets_file import load

ENV = {"GITHUB_ID": "acme", "GITHUB_REPO": "checkout-api", "SLACK_APPROVERS": "U0LEE0001,S0PLATF01"}


def read(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> dict[str, Target]:
    file = tmp_path / "targets.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, ENV if env is None else env)


def test_everything_that_may_be_said_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
targets:
  dev: {}
  prod:
    repository: acme/shop
    event_type: prod_go
    ecs: {cluster: checkout, service: checkout-api}
    region: eu-central-1
    role_arn: arn:aws:iam::123456789012:role/deploy
    claim: false
    strategy: canary
    pause_at: [POST_SCALE_UP, PRE_SCALE_UP, POST_SCALE_UP]
    policy: {approvers: [U0KIM0001, U0KIM0001], quorum: 1, rollback_approval: false, requesters: [W0DANA001]}
    timing: {approval: 1800, build: 1}
  eu-1: {codedeploy: {application: app, group: live}}
""",
    )
    assert list(found) == ["dev", "prod", "eu-1"]
    prod = found["prod"]
    assert (prod.repository, prod.event_type, prod.kind) == ("acme/shop", "prod_go", "ecs")
    assert (prod.cluster, prod.service, prod.region, prod.claim, prod.strategy) == (
        "checkout",
        "checkout-api",
        "eu-central-1",
        False,
        "canary",
    )
    assert prod.pause_at == ("POST_SCALE_UP", "PRE_SCALE_UP")
    assert prod.timing == Timing(approval=1800, build=1)
    assert (prod.policy.approvers, prod.policy.approver_groups) == (("U0KIM0001",), ())
    assert (prod.policy.deploy_approval, prod.policy.rollback_approval) == (True, False)
    assert (found["dev"].repository, found["dev"].event_type) == ("acme/checkout-api", "dev_deploy")
    assert found["dev"].policy.approver_groups == ("S0PLATF01",), "the variables' policy is inherited"
    assert found["eu-1"].kind == "codedeploy"


# text below `prod:`, the line that is named, the field, and words of the error
WRONG = {
    "unknown field": ("    servce: x", 3, "targets.prod", "unknown field 'servce'; known are"),
    "twice": ("    claim: true\n    claim: false", 4, "targets.prod", "'claim' is given twice"),
    "no boolean": ("    claim: maybe", 3, "targets.prod.claim", "should hold true or false, not 'maybe'"),
    "no repository": ("    repository: acme", 3, "targets.prod.repository", "should hold owner/name, not 'acme'"),
    "address": ("    repository: https://github.com/a/b", 3, "targets.prod.repository", "should hold owner/name"),
    "event type with blanks": ("    event_type: a b", 3, "targets.prod.event_type", "up to 100 characters"),
    "long event type": (f"    event_type: {'x' * 101}", 3, "targets.prod.event_type", "up to 100 characters"),
    "no region": ("    region: Frankfurt", 3, "targets.prod.region", "an AWS region"),
    "a date": ("    region: 2026-01-31", 3, "targets.prod.region", "should hold an AWS region"),
    "an impossible date": ("    region: 2026-99-99", 3, "targets.prod.region", "should hold an AWS region"),
    "no role": ("    role_arn: deploy", 3, "targets.prod.role_arn", "an IAM role's ARN"),
    "no strategy": ("    strategy: yolo", 3, "targets.prod.strategy", "rolling, blue_green, linear or canary"),
    "a pause without ecs": ("    pause_at: [PRE_SCALE_UP]", 3, "targets.prod.pause_at", "needs ecs, and the strategy"),
    "a pause of a rolling update": (
        "    ecs: {cluster: c, service: s}\n    strategy: rolling\n    pause_at: [PRE_SCALE_UP]",
        5,
        "targets.prod.pause_at",
        "blue_green, linear or canary",
    ),
    "a pause where there is none": (
        "    ecs: {cluster: c, service: s}\n    strategy: canary\n    pause_at: [TEST_TRAFFIC_SHIFT]",
        5,
        "targets.prod.pause_at",
        "ECS cannot pause at 'TEST_TRAFFIC_SHIFT'; it can at RECONCILE_SERVICE",
    ),
    "one pause": (
        "    ecs: {cluster: c, service: s}\n    strategy: canary\n    pause_at: PRE_SCALE_UP",
        5,
        "targets.prod.pause_at",
        "a list of ECS's lifecycle stages",
    ),
    "ecs is no mapping": ("    ecs: checkout", 3, "targets.prod.ecs", "should hold names and values"),
    "ecs is empty": ("    ecs: {}", 3, "targets.prod.ecs", "lacks cluster"),
    "no service": ("    ecs:\n      cluster: c", 4, "targets.prod.ecs", "lacks service"),
    "blank cluster": (
        "    ecs: {cluster: ' ', service: s}",
        3,
        "targets.prod.ecs.cluster",
        "the cluster's name",
    ),
    "number as cluster": (
        "    ecs: {cluster: 1, service: s}",
        3,
        "targets.prod.ecs.cluster",
        "YAML reads '1' as a number, so write it in quotes",
    ),
    "no group": ("    codedeploy: {application: a}", 3, "targets.prod.codedeploy", "lacks group"),
    "both": (
        "    ecs: {cluster: c, service: s}\n    codedeploy: {application: a, group: g}",
        3,
        "targets.prod",
        "has both ecs and codedeploy",
    ),
    "approver is a name": (
        "    policy:\n      approvers: [dana]",
        4,
        "targets.prod.policy.approvers",
        "'dana' isn't a Slack id",
    ),
    "approver on a line of its own": (
        "    policy:\n      approvers:\n        - U0LEE0001\n        - dana",
        6,
        "targets.prod.policy.approvers",
        "'dana' isn't a Slack id",
    ),
    "group as approver": (
        "    policy: {approvers: [S0PLATF01]}",
        3,
        "targets.prod.policy.approvers",
        "'S0PLATF01' belongs under approver_groups",
    ),
    "user as group": (
        "    policy: {approver_groups: [U0LEE0001]}",
        3,
        "targets.prod.policy.approver_groups",
        "'U0LEE0001' belongs under approvers",
    ),
    "group as requester": (
        "    policy: {requesters: [S0PLATF01]}",
        3,
        "targets.prod.policy.requesters",
        "'S0PLATF01' belongs under requester_groups",
    ),
    "approvers are no list": ("    policy: {approvers: U0LEE0001}", 3, "targets.prod.policy.approvers", "a list of"),
    "quorum 0": ("    policy: {quorum: 0}", 3, "targets.prod.policy.quorum", "a number from 1 to 1000"),
    "quorum true": ("    policy: {quorum: true}", 3, "targets.prod.policy.quorum", "a number from 1 to 1000"),
    "unknown rule": ("    policy: {quorom: 1}", 3, "targets.prod.policy", "unknown field 'quorom'"),
    "no seconds": ("    timing: {build: 0}", 3, "targets.prod.timing.build", "whole seconds from 1 to 86400, not '0'"),
    "too many": ("    timing: {build: 90000}", 3, "targets.prod.timing.build", "from 1 to 86400, not '90000'"),
    "longer than the state machine": (
        "    claim: true\n    timing: {approval: 86400}",
        4,
        "targets.prod.timing",
        "the durations add up to 26h 44m; a deployment with all its waits has to fit into 21 hours",
    ),
    "nothing comes before": (
        "    policy: {after: staging}",
        3,
        "targets.prod.policy.after",
        "there is no target staging",
    ),
    "itself comes before": ("    policy: {after: prod}", 3, "targets.prod.policy.after", "prod → prod"),
    "a list comes before": (
        "    policy: {after: [prod]}",
        3,
        "targets.prod.policy.after",
        "should hold a single value",
    ),
    "no branch": (
        "    policy: {branches: [main, 'a b']}",
        3,
        "targets.prod.policy.branches",
        "should hold names of branches, where an asterisk matches anything but a slash, not 'a b'",
    ),
    "any branch": ("    policy: {branches: ['**']}", 3, "targets.prod.policy.branches", "not '**'"),
    "a single branch": ("    policy: {branches: main}", 3, "targets.prod.policy.branches", "a list"),
    "two stars": ("    tags: 'api@*.*'", 3, "targets.prod.tags", "should hold the characters of a tag with one *"),
    "half seconds": (
        "    timing: {build: 1.5}",
        3,
        "targets.prod.timing.build",
        "whole seconds from 1 to 86400, not '1.5'",
    ),
    "endless": (f"    timing: {{build: {'9' * 5000}}}", 3, "targets.prod.timing.build", "should hold whole seconds"),
    "unknown time": ("    timing: {biuld: 1}", 3, "targets.prod.timing", "unknown field 'biuld'"),
    "octal seconds": ("    timing: {build: 010}", 3, "targets.prod.timing.build", "from 1 to 86400, not '010'"),
    "minutes": ("    timing: {build: 30:00}", 3, "targets.prod.timing.build", "from 1 to 86400, not '30:00'"),
    "not a number": ("    timing: {build: .nan}", 3, "targets.prod.timing.build", "from 1 to 86400, not '.nan'"),
    "seconds as text": ("    timing: {build: '60'}", 3, "targets.prod.timing.build", "whole seconds"),
    "octal quorum": ("    policy: {quorum: 03}", 3, "targets.prod.policy.quorum", "not '03'"),
    "endless quorum": ("    policy: {quorum: 99999}", 3, "targets.prod.policy.quorum", "from 1 to 1000"),
    "a text that is true": ("    event_type: on", 3, "targets.prod.event_type", "reads 'on' as true or false, so"),
    "a text that is octal": ("    event_type: 0123", 3, "targets.prod.event_type", "reads '0123' as a number, so"),
    "a text that is a date": ("    event_type: 2026-01-31", 3, "targets.prod.event_type", "'2026-01-31' as a date, so"),
    "a text that is nothing": ("    event_type: ~", 3, "targets.prod.event_type", "reads '~' as nothing, so"),
    "an id that is octal": (
        "    policy: {approvers: [0123]}",
        3,
        "targets.prod.policy.approvers",
        "'0123' isn't a Slack id",
    ),
    "a cluster's ARN": (
        "    ecs: {cluster: 'arn:aws:ecs:eu-west-1:1:cluster/c', service: s}",
        3,
        "targets.prod.ecs.cluster",
        "the cluster's name, not its ARN",
    ),
    "a long service": (
        f"    ecs: {{cluster: c, service: {'s' * 256}}}",
        3,
        "targets.prod.ecs.service",
        "service's name",
    ),
    "mistyped": ("    regoin: eu-west-1", 3, "targets.prod", "did you mean region?"),
    "too high up": ("    quorum: 2", 3, "targets.prod", "did you mean policy.quorum?"),
    "mistyped and too high up": ("    servce: x", 3, "targets.prod", "did you mean ecs.service?"),
    "a list as a field": ("    ? [a, b]\n    : c", 3, "targets.prod", "a field's name should be a single word"),
    "merged into itself": ("    policy: &own {<<: *own}", 3, "targets.prod.policy", "merges itself into itself"),
    "a tag of another language": ("    region: !!python/object:os.system x", 3, "targets.prod.region", "should hold"),
    "a tag that its value does not fit": (
        "    claim: !!bool maybe",
        3,
        "targets.prod.claim",
        "should hold true or false, not 'maybe'",
    ),
    "an endless zone": (
        f"    freeze: [{{days: [sat], zone: {'x' * 5000}}}]",
        3,
        "targets.prod.freeze[0].zone",
        "should hold a time zone",
    ),
    "an endless weekday": (
        f"    freeze: [{{days: [{'x' * 5000}]}}]",
        3,
        "targets.prod.freeze[0].days[0]",
        "should hold weekdays",
    ),
    "an endless time": (
        f"    freeze: [{{from: {'9' * 5000}}}]",
        3,
        "targets.prod.freeze[0].from",
        "should hold a time",
    ),
    "a quorum that nobody can reach": (
        "    policy:\n      approvers: [U0LEE0001, U0KIM0001, U0LEE0001]\n      quorum: 3",
        5,
        "targets.prod.policy.quorum",
        "should be at most 2, the number of approvers that are named",
    ),
    "a path as repository": ("    repository: acme/..", 3, "targets.prod.repository", "should hold owner/name"),
    "a step in a path": ("    repository: acme/.", 3, "targets.prod.repository", "should hold owner/name"),
    "an address of git": ("    repository: acme/shop.git", 3, "targets.prod.repository", "should hold owner/name"),
    "a tag of nobody": ("    claim: !maybe x", 3, "targets.prod.claim", "should hold true or false"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_by_file_line_and_field(tmp_path: Path, name: str) -> None:
    text, line, field, says = WRONG[name]
    with pytest.raises(InvalidConfiguration) as caught:
        read(tmp_path, f"targets:\n  prod:\n{text}\n")
    said = caught.value.text
    assert said.startswith(f"targets.yaml, line {line}, {field}: "), said
    assert says in said
    assert len(said) < 400


def test_everything_that_is_wrong_is_reported_at_once(tmp_path: Path) -> None:
    text = """
targets:
  dev: {regoin: eu-west-1, claim: maybe, region: Frankfurt}
  Prod: {}
  prod:
    ecs: {cluster: 1}
    policy: {approvers: [dana, lee], quorum: 0}
    timing: {build: 0, deploy: soon}
    freeze: [{days: [someday]}, {zone: Nowhere}]
"""
    with pytest.raises(InvalidConfiguration) as caught:
        read(tmp_path, text, {**ENV, "GITHUB_ID": "a/b", "SLACK_APPROVERS": "dana"})
    faults = [english_text(fault) for fault in caught.value.faults]
    places = [fault.removeprefix("targets.yaml, ").split(": ")[0] for fault in faults]
    assert places == [
        "SLACK_APPROVERS has 'dana'; it should hold Slack ids with commas between them",
        "line 3, targets.dev",
        "GITHUB_ID is 'a/b'; it should hold the GitHub owner (user or organisation) of the repository.",
        "line 3, targets.dev.region",
        "line 3, targets.dev.claim",
        "line 4, targets.Prod",
        "line 6, targets.prod.ecs",
        "line 8, targets.prod.timing.build",
        "line 8, targets.prod.timing.deploy",
        "line 6, targets.prod.ecs.cluster",
        "line 7, targets.prod.policy.approvers",
        "line 7, targets.prod.policy.approvers",
        "line 7, targets.prod.policy.quorum",
        "line 9, targets.prod.freeze[0].days[0]",
        "line 9, targets.prod.freeze[1].zone",
    ]
    lines = caught.value.text.split("\n")
    assert lines == [*faults[:5], "And 10 more."]


def test_a_quorum_counts_on_a_user_group_whose_members_are_not_known_yet(tmp_path: Path) -> None:
    found = read(
        tmp_path, "targets:\n  dev: {policy: {quorum: 9}}\n  prod: {policy: {approver_groups: [S0A], quorum: 2}}"
    )
    assert [target.policy.quorum for target in found.values()] == [9, 2]


def test_the_variables_approvers_count_for_a_quorum_too(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"policy.quorum: should be at most 1"):
        read(tmp_path, "targets: {dev: {policy: {quorum: 2}}}", {**ENV, "SLACK_APPROVERS": "U0LEE0001"})


@pytest.mark.parametrize("name", ["Prod", "1prod", "help", "cancel", "lock", "for", "until", "a_b", "x" * 33, "'a b'"])
def test_a_target_is_named_in_lower_case_and_not_like_a_command(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"^targets.yaml, line 2, targets\..*: a target's name is"):
        read(tmp_path, f"targets:\n  {name}: {{}}\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "targets.yaml is empty; it should hold `targets:`."),
        ("targets: {}", "targets.yaml names no target."),
        ("{}", "targets.yaml should hold `targets:`."),
        ("targets:", "targets.yaml, line 1, targets: should hold names and values"),
        ("- a", "targets.yaml, line 1, the file: should hold names and values"),
        ("a: 1", "targets.yaml, line 1, the file: unknown field 'a'; known are targets"),
    ],
)
def test_a_file_that_holds_no_targets_says_so(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=re.escape(says)):
        read(tmp_path, text)


def test_anchors_and_merges_are_read_and_what_stands_at_the_target_counts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
targets:
  dev: &dev
    ecs: &ecs {cluster: c, service: s}
    timing: {build: 60}
  prod:
    <<: *dev
    timing: {build: 90}
  eu:
    <<: [{region: eu-west-1}, *dev]
    ecs: {<<: *ecs, service: t}
""",
    )
    assert [(one.cluster, one.service, one.region, one.timing.build) for one in found.values()] == [
        ("c", "s", "", 60),
        ("c", "s", "", 90),
        ("c", "t", "eu-west-1", 60),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"targets:\n\tdev: {}\n", "line 2, the file: is indented with a tab; YAML takes spaces only"),
        (b"targets: {dev: {}}\n---\na: 1\n", "line 2, the file: begins a second document"),
        (b"targets: {dev: {}}\n...\ntargets: {}\n", "line 3, the file: "),
        (b"\xef\xbb\xbftargets:\r\n  dev:\r\n    oops: x\r\n", "line 3, targets.dev: unknown field 'oops'"),
        ("targets:\n  dev:\n    oops: x\n".encode("utf-16"), "line 3, targets.dev: unknown field 'oops'"),
        (b"targets:\n  dev: {}\n  b\xff: {}\n", "line 3, the file: should hold text in UTF-8"),
        (b"targets:\n  dev: {}\x00\n", "line 2, the file: should hold text in UTF-8"),
        (b"targets: {dev: *base}\n", "line 1, the file: is not valid YAML: found undefined alias 'base'"),
        (b"targets: " + b"[" * 5000, "line 1, the file: is nested too deeply"),
        (b"#" * 1_000_001, "it is larger than 1 MB"),
    ],
)
def test_what_a_file_may_not_be_is_said_with_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(InvalidConfiguration) as caught:
        load(tmp_path / "mine.yaml", ENV)
    assert caught.value.text.startswith("mine.yaml"), caught.value.text
    assert says in caught.value.text


@pytest.mark.parametrize(
    ("path", "why"),
    [("/", "that is a folder"), ("/dev/zero", "that is not a regular file"), ("/etc/passwd/x", "no such")],
)
def test_what_is_no_file_is_not_read(path: str, why: str) -> None:
    with pytest.raises(
        InvalidConfiguration, match=f"{why}.*CHATOPS_TARGETS_FILE should hold the path of a targets.yaml"
    ):
        load(Path(path), ENV)


def test_what_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"^targets\.yaml, line 4, the file: is not valid YAML: "):
        read(tmp_path, "targets:\n  prod:\n    ecs: {cluster: [\n")


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidConfiguration,
        match=r"^missing\.yaml: there is no such file \(/.*\)\. CHATOPS_TARGETS_FILE ",
    ):
        load(tmp_path / "missing.yaml", ENV)
    (tmp_path / "binary.yaml").write_bytes(b"\xfftargets")
    with pytest.raises(InvalidConfiguration, match=r"^binary\.yaml, line 1, the file: should hold text in UTF-8"):
        load(tmp_path / "binary.yaml", ENV)


def test_a_target_without_a_repository_anywhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="names no repository, and GITHUB_ID and GITHUB_REPO are not set"):
        read(tmp_path, "targets:\n  prod: {}\n", {})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GITHUB_REPO", "acme/checkout-api", "it should hold the name"),
        ("GITHUB_REPO", "https://github.com/acme/shop", "it should hold the name"),
        ("GITHUB_ID", "acme corp", "it should hold the GitHub owner"),
    ],
)
def test_the_variables_behind_a_target_are_checked_where_it_takes_them(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        read(tmp_path, "targets:\n  prod: {}\n", {**ENV, name: value})
    assert caught.value.text.startswith(f"{name} is {value!r}; {says}")
    found = read(tmp_path, "targets:\n  prod: {repository: acme/shop}\n", {**ENV, name: value})
    assert found["prod"].repository == "acme/shop"


def test_the_file_that_a_variable_names_is_used(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text("targets: {prod: {}, stage: {}}")
    environment.setenv("CHATOPS_TARGETS_FILE", str(tmp_path / "mine.yaml"))
    assert list(targets()) == ["prod", "stage"]


def test_what_comes_before_a_target_is_another_one_of_its_repository_and_in_no_circle(tmp_path: Path) -> None:
    def read(**after: str) -> dict[str, Target]:
        lines = [
            f"  {name}: {{policy: {{after: {before}}}}}" if before else f"  {name}: {{}}"
            for name, before in after.items()
        ]
        lines.append("  other: {repository: acme/other}")
        (tmp_path / "targets.yaml").write_text("\n".join(["targets:", *lines]), "utf-8")
        return load(tmp_path / "targets.yaml", {"GITHUB_ID": "acme", "GITHUB_REPO": "shop"})

    found = read(prod="staging", staging="dev", dev="")
    assert [found[name].policy.after for name in ("prod", "staging", "dev")] == ["staging", "dev", ""]
    for after, said in (
        ({"prod": "other"}, "line 2, targets.prod.policy.after: other is deployed from acme/other, not from acme/shop"),
        ({"prod": "staging", "staging": "prod"}, "line 3, targets.staging.policy.after: these wait for each other"),
        ({"a": "b", "b": "c", "c": "b"}, "line 2, targets.a.policy.after: these wait for each other"),
    ):
        with pytest.raises(InvalidConfiguration) as refused:
            read(**after)
        assert said in " ".join(english_text(fault) for fault in refused.value.faults)
