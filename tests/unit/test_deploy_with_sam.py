"""The real SAM CLI takes our arguments and samconfig.toml, packs what was built, and asks CloudFormation for what we
mean.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.runtime.intrinsics import load_yaml
from scripts import deploy_stack, stack_parameters
from tests.unit.cloudformation_server import Server, parameters, serving
from tests.unit.deploy_clone import Clone
from tests.unit.test_bootstrap import granted
from tests.unit.translated import Translated

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not deploy_stack.SAM.exists(), reason="the SAM CLI comes with make check"),
]
ROLE = "arn:aws:iam::123456789012:role/chatops-cloudformation-platform-deploy"
BUILT = os.environ.get("BUILT", "")  # scripts/check_build.sh
OURS = {"CHATOPS_ARTIFACTS_BUCKET": "chatops-artifacts", "CHATOPS_CLOUDFORMATION_ROLE_ARN": ROLE}


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """CloudFormation and S3 on this machine."""
    server, store = Server(stack_parameters.declared()), ThreadedMotoServer(port=0)
    store.start()
    host, port = store.get_host_and_port()
    with serving(server) as address:
        for name, value in {
            "AWS_ENDPOINT_URL_CLOUDFORMATION": address,
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_REGION": "eu-west-1",
            "SAM_CLI_POLL_DELAY": "0.1",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        where = {"LocationConstraint": "eu-west-1"}
        boto3.client("s3").create_bucket(Bucket="chatops-artifacts", CreateBucketConfiguration=where)
        yield server
        for bucket in boto3.resource("s3").buckets.all():  # moto keeps them from one server to the next
            bucket.objects.all().delete()
            bucket.delete()
    store.stop()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `sam build` made, where the gate says where that is; else the sources, without third-party packages."""
    if BUILT:
        shutil.rmtree(Path(BUILT) / "SharedLayer/python/botocore")  # to be packed each time takes most of a minute
        monkeypatch.setattr(deploy_stack, "BUILT", Path(BUILT) / "template.yaml")
        return Path(BUILT)
    with pytest.MonkeyPatch.context() as patch:
        clone = Clone.of_this_project(tmp_path, patch)
        clone.build()
    monkeypatch.setattr(deploy_stack, "BUILT", clone.built)
    return clone.built.parent


def deploy(tmp_path: Path, **variables: str) -> int:
    summary = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_REPOSITORY": "acme/platform"}
    return deploy_stack.deploy({**os.environ, **summary, "VARIABLES": json.dumps(variables)})


def translated(cloudformation: Server) -> Translated:
    """The template that CloudFormation was given last."""
    bucket, _, key = urlsplit(cloudformation.change_sets[-1]["TemplateURL"]).path.lstrip("/").partition("/")
    text = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return Translated(load_yaml(text), cloudformation.values)


def test_made_and_then_changed(cloudformation: Server, folder: Path, tmp_path: Path) -> None:
    gif = "https://x.example/a.gif?v=1&w=2,3"
    given = {
        **OURS,
        "SLACK_APPROVERS": "U0LEE0001, S0PLATF01",
        "GIF_DEPLOYING": gif,
        "CHATOPS_ALARM_EMAIL": "a@b.example",
    }
    assert deploy(tmp_path, **given) == 0
    (made,) = cloudformation.change_sets
    assert (made["ChangeSetType"], made["StackName"], made["RoleARN"]) == ("CREATE", "platform-deploy", ROLE)
    assert made["Capabilities.member.1"] == "CAPABILITY_IAM"
    assert "chatops-artifacts" in made["TemplateURL"]
    assert {key: value for key, value in parameters(made).items() if value is not None} == {
        "GithubId": "acme",
        "GithubRepo": "platform",
        "SlackApprovers": "U0LEE0001,S0PLATF01",
        "GifDeploying": gif,
        "AlarmEmail": "a@b.example",
    }
    assert "https://api/prod/slack/events" in (tmp_path / "summary").read_text()
    first = translated(cloudformation)

    assert deploy(tmp_path, **OURS, CHATOPS_LANG="ko") == 0
    changed = parameters(cloudformation.change_sets[1])
    assert cloudformation.change_sets[1]["ChangeSetType"] == "UPDATE"
    assert cloudformation.ended == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    assert {key: value for key, value in changed.items() if value is not None} == {"Language": "ko"}
    assert {"GithubId", "SlackApprovers", "AlarmEmail", "EcsClusterName"} <= changed.keys(), "they stay as they are"
    assert len(translated(cloudformation).published_since(first)) == len(first.versions) > 1

    # and the pipeline's role may do all that SAM did
    may = {action for each in granted("PipelineRole") for action in each["Action"]}
    assert {f"cloudformation:{action}" for action in cloudformation.actions} <= may


@pytest.mark.skipif(not BUILT, reason="make check-build does it, with what it has built")
def test_what_sam_packs_publishes_what_changed(cloudformation: Server, folder: Path, tmp_path: Path) -> None:
    blanks = 'https://x.example/a.gif?said="it\'s"&b=1,2\\n'
    assert deploy(tmp_path, **OURS, GIF_BASE_URL=blanks) == 0
    assert cloudformation.values["GifBaseUrl"] == blanks
    first = translated(cloudformation)
    assert first.in_the_state_machine.items() <= first.versions.items()

    with (folder / "PollFunction/app.py").open("a") as file:
        file.write("\n")
    assert deploy(tmp_path, **OURS) == 0
    second = translated(cloudformation)
    assert second.published_since(first) == {"PollFunction"}, "and nothing where nothing changed"
    assert second.in_the_state_machine["PollFunction"] == second.versions["PollFunction"]
    (folder / "SharedLayer/python/targets.yaml").write_text("targets: {}\n")
    assert deploy(tmp_path, **OURS) == 0
    assert translated(cloudformation).published_since(second) == second.versions.keys() - {"GifsFunction"}, (
        "it has no layer"
    )
