"""Settings and targets from the environment: read once, and wrong ones named with what they should hold."""

from __future__ import annotations

import re

import boto3
import pytest

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.ids import EXECUTION_NAME, deployment_id
from chatops.domain.target import Target, default_target
from chatops.settings import config, targets
from chatops.settings.targets import from_environment

BASE = {"CHATOPS_TABLE": "t", "CHATOPS_STATE_MACHINE_ARN": "arn"}
PLAIN = {"GITHUB_ID": "acme", "GITHUB_REPO": "checkout-api"}


# -- ids -----------------------------------------------------------------------------------------------------


def test_the_same_delivery_is_the_same_id_and_another_one_another() -> None:
    first = deployment_id("T0ACME001", "13345224609.738474920.8088930838d88f008e0")
    assert first == deployment_id("T0ACME001", "13345224609.738474920.8088930838d88f008e0")
    assert first != deployment_id("T0ACME002", "13345224609.738474920.8088930838d88f008e0")
    assert first != deployment_id("T0ACME001", "13345224609.738474920.8088930838d88f008e1")


def test_an_id_is_d_and_twelve_characters_that_step_functions_and_people_can_take() -> None:
    made = {deployment_id("T", str(n)) for n in range(500)}
    assert len(made) == 500
    for one in made:
        assert re.fullmatch("d-[a-z0-9]{12}", one)
        assert EXECUTION_NAME.fullmatch(one)


NAMES = dict.fromkeys(("hot.fix_2026@1", "f8a1d4c2-0e1b-4b5c-9f3e-1d2c3b4a5968", "x" * 80), True)
NAMES |= dict.fromkeys(("", "a b", "a/b", "a:b", "a;b", "a`b", "a$b", "a&b", "<a>", "a\n", "x" * 81), False)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_the_console_takes_are_ids_and_those_that_step_functions_refuses_are_not(name: str) -> None:
    assert bool(EXECUTION_NAME.fullmatch(name)) is NAMES[name]


# -- settings ------------------------------------------------------------------------------------------------


def test_everything_but_table_and_machine_has_a_default() -> None:
    found = config.load(BASE)
    assert (found.region, found.language) == ("us-east-1", "en")
    assert (found.github_api_url, found.slack_api_url) == ("https://api.github.com", "https://slack.com/api/")
    assert found.gifs == {"deploying": "", "success": "", "failure": ""}, "no base address, no image"


@pytest.mark.parametrize("name", BASE)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_setting_that_is_missing_or_blank_is_named(name: str, value: str | None) -> None:
    env = {k: v for k, v in {**BASE, name: value}.items() if v is not None}
    with pytest.raises(InvalidConfiguration, match=rf"^{name} is not set; it should hold the "):
        config.load(env)


ADDRESS, APP = "an address that begins with https://", "the App's id (a number) or"


@pytest.mark.parametrize(
    ("name", "values", "holds"),
    [
        ("CHATOPS_LANG", ["DE", "fr", "english", "en,ko", "é", "e" * 5000], "one of en, ko"),
        ("LOG_LEVEL", ["verbose", "10"], "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("SLACK_CHANNEL_ID", ["#deployments", "deployments", "U0LEE0001", "0123", "C"], "the id of a Slack channel"),
        (
            "GIF_BASE_URL",
            ["cdn/x", "ftp://x", "https://", "https://a b", "https://é", "https://a/" + "b" * 3000],
            ADDRESS,
        ),
        ("GIF_DEPLOYING", ["deploying.gif", "yes"], ADDRESS),
        ("SLACK_API_URL", ["slack.com/api"], ADDRESS),
        ("CHATOPS_GITHUB_API_URL", ["api.github.com"], ADDRESS),
        ("AWS_REGION", ["Frankfurt", "us_east_1", "1"], "an AWS region"),
        ("GITHUB_APP_ID", ["platform-deploy", "0", "12a", "-----BEGIN RSA PRIVATE KEY-----"], APP),
    ],
)
def test_what_a_setting_should_hold_is_said_and_nothing_of_it_is_long(name: str, values: list[str], holds: str) -> None:
    for value in values:
        with pytest.raises(InvalidConfiguration) as caught:
            config.load({**BASE, name: value})
        assert caught.value.text.startswith(f"{name} is "), value
        assert f"; it should hold {holds}" in caught.value.text, value
        assert len(caught.value.text) < 400


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("CHATOPS_LANG", "language", {" KO ": "ko", "": "en"}),
        # an App is named by its id or its client id
        (
            "GITHUB_APP_ID",
            "github_app_id",
            {f" {v} ": v for v in ("123456", "Iv23liAbCdEfGhIjKlMn", "Iv1.8a61f9b3a7aba766", "")},
        ),
        # with and without its last slash
        ("CHATOPS_GITHUB_API_URL", "github_api_url", {"http://g": "http://g", "http://g/": "http://g"}),
        ("SLACK_API_URL", "slack_api_url", {"http://s/api": "http://s/api/", "http://s/api/": "http://s/api/"}),
    ],
)
def test_a_setting_is_read_however_it_was_typed(name: str, field: str, values: dict[str, str]) -> None:
    for typed, meant in values.items():
        assert getattr(config.load({**BASE, name: typed}), field) == meant


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        config.load({"CHATOPS_LANG": "fr", "SLACK_API_URL": "slack.com", "CHATOPS_TABLE": "t"})
    names = [fault.values["name"] for fault in caught.value.faults]
    assert names == ["CHATOPS_LANG", "CHATOPS_STATE_MACHINE_ARN", "SLACK_API_URL"]
    assert [line.split(" ")[0] for line in caught.value.text.split("\n")] == names


def test_each_region_of_each_partition_that_the_sdk_knows_is_one() -> None:
    session = boto3.Session()
    partitions = session.get_available_partitions()
    known = {name for one in partitions for name in session.get_available_regions("lambda", one)}
    assert {"eusc-de-east-1", "us-gov-west-1", "cn-north-1", "us-isob-east-1"} <= known
    assert [name for name in sorted(known) if config.load({**BASE, "AWS_REGION": name}).region != name] == []


def test_gifs_come_from_their_own_variable_else_the_base_else_this_stack() -> None:
    for end in ("", "/"):
        own = {"CHATOPS_API_URL": f"https://a/prod{end}"}
        assert config.load({**BASE, **own}).gifs["success"] == "https://a/prod/gifs/deploy_complete.gif"
        assert set(config.load({**BASE, **own, "GIF_BASE_URL": "none"}).gifs.values()) == {""}
        env = {**own, "GIF_BASE_URL": f"https://cdn/x{end}", "GIF_DEPLOY_FAIL": "https://y/z.gif"}
        assert config.load({**BASE, **env}).gifs == {
            "deploying": "https://cdn/x/deploying.gif",
            "success": "https://cdn/x/deploy_complete.gif",
            "failure": "https://y/z.gif",
        }


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("TRUE", True), ("1", True), ("yes", True), ("off", False), ("0", False), ("", None), (" ", None)],
)
def test_booleans_have_the_usual_words_and_blank_is_the_default(value: str, meant: bool | None) -> None:
    for default in (True, False):
        assert config.boolean({"X": value}, "X", default=default) is (default if meant is None else meant)
    with pytest.raises(InvalidConfiguration, match=r"(?m)^X is 'maybe'; it should hold true or false\.$"):
        config.boolean({"X": "maybe"}, "X", default=False)


def test_lists_keep_their_order_and_lose_blanks_and_repetitions() -> None:
    assert config.names({"X": " b, a ,,b,"}, "X") == ("b", "a")
    assert config.names({}, "X") == ()


# -- the single target ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({}, "none"),
        ({"ECS_CLUSTER_NAME": "c", "ECS_SERVICE_NAME": "s"}, "ecs"),
        ({"ECS_CLUSTER_NAME": "c"}, "none"),
        ({"CODEDEPLOY_APP_NAME": "a", "CODEDEPLOY_GROUP_NAME": "g"}, "codedeploy"),
    ],
)
def test_the_plain_variables_make_one_target_dev(env: dict[str, str], kind: str) -> None:
    (found,) = from_environment({**PLAIN, **env}).values()
    assert (found.name, found.repository, found.event_type) == ("dev", "acme/checkout-api", "dev_deploy")
    assert (found.kind, found.claim) == (kind, True)
    assert (found.policy.deploy_approval, found.policy.rollback_approval) == (False, False)


def test_approval_is_required_where_there_are_approvers_unless_a_variable_says_otherwise() -> None:
    env = {**PLAIN, "SLACK_APPROVERS": "U0LEE0001, S0PLATF01,U0LEE0001 ,W0KIM0001"}
    policy = from_environment(env)["dev"].policy
    assert (policy.approvers, policy.approver_groups) == (("U0LEE0001", "W0KIM0001"), ("S0PLATF01",))
    assert (policy.deploy_approval, policy.rollback_approval) == (True, True)
    policy = from_environment({**env, "ROLLBACK_APPROVAL_REQUIRED": "false"})["dev"].policy
    assert (policy.deploy_approval, policy.rollback_approval) == (True, False)


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"GITHUB_ID": ""}, "GITHUB_ID is not set; it should hold the GitHub owner"),
        ({"GITHUB_REPO": ""}, "GITHUB_REPO is not set; it should hold the name"),
        ({"GITHUB_REPO": "acme/checkout-api"}, "GITHUB_REPO is 'acme/checkout-api'; it should hold the name"),
        ({"GITHUB_ID": "https://github.com/acme"}, "GITHUB_ID is 'https://github.com/acme'; it should hold the"),
        ({"ECS_SERVICE_NAME": "s"}, "ECS_SERVICE_NAME is set and ECS_CLUSTER_NAME is not"),
        ({"CODEDEPLOY_APP_NAME": "a"}, "CODEDEPLOY_APP_NAME is set and CODEDEPLOY_GROUP_NAME is not"),
        ({"SLACK_APPROVERS": "U0LEE0001,@kim"}, "SLACK_APPROVERS has '@kim'; it should hold Slack ids"),
        (
            {"ECS_CLUSTER_NAME": "arn:aws:ecs:x", "ECS_SERVICE_NAME": "s"},
            "ECS_CLUSTER_NAME is 'arn:aws:ecs:x'; it should",
        ),
        ({"ECS_SERVICE_NAME": "a b"}, "ECS_SERVICE_NAME is 'a b'; it should hold the service's name"),
        ({"CODEDEPLOY_APP_NAME": "a" * 101}, "CODEDEPLOY_APP_NAME is 'aaa"),
        ({"DEPLOY_APPROVAL_REQUIRED": "si"}, "DEPLOY_APPROVAL_REQUIRED is 'si'; it should hold true or false"),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_what_it_should_hold(env: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        from_environment({**PLAIN, **env})
    assert caught.value.text.startswith(says)


def test_a_command_without_a_target_means_the_only_one_or_dev_or_none() -> None:
    def named(*names: str) -> dict[str, Target]:
        return {name: Target(name, "a/b", f"{name}_deploy") for name in names}

    assert default_target(named("prod")) == "prod"
    assert default_target(named("prod", "dev")) == "dev"
    assert default_target(named("prod", "stage")) == ""
    assert default_target({}) == ""


def test_the_targets_follow_the_environment(environment: pytest.MonkeyPatch) -> None:
    assert targets.targets()["dev"].repository == "acme/checkout-api"
    environment.setenv("GITHUB_REPO", "other")
    assert targets.targets()["dev"].repository == "acme/other"


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "ap-northeast-2", "ap-northeast-2.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_an_execution_is_linked_in_the_console_of_its_own_partition_and_region(
    monkeypatch: pytest.MonkeyPatch, partition: str, region: str, host: str
) -> None:
    """Whatever is set, or is not: the address follows from the ARN."""
    for name in ("CHATOPS_CONSOLE_URL", "CHATOPS_TABLE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    arn = f"arn:{partition}:states:{region}:123456789012:execution:deploy:d-1"
    assert config.execution_url(arn) == f"https://{host}/states/home?region={region}#/v2/executions/details/{arn}"


@pytest.mark.parametrize("arn", ["", "nonsense", "arn:aws-iso:states:us-iso-east-1:1:execution:deploy:d-1"])
def test_where_no_console_is_known_there_is_no_address(monkeypatch: pytest.MonkeyPatch, arn: str) -> None:
    monkeypatch.delenv("CHATOPS_CONSOLE_URL", raising=False)
    assert config.execution_url(arn) == ""
    monkeypatch.setenv("CHATOPS_CONSOLE_URL", "https://x/{name}?{arn}")
    assert config.execution_url(arn) == f"https://x/{arn.rpartition(':')[2]}?{arn}"
