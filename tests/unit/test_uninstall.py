"""docs/uninstall.md: what stays is named, and its commands do what they say, by AWS's own command line against moto."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.session import get_session
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from local.runtime.intrinsics import load_yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "uninstall.md").read_text("utf-8")
TEMPLATES = (ROOT / "template.yaml", *sorted((ROOT / "templates").glob("*.yaml")))
WORDS = {"AWS::DynamoDB::Table": "table", "AWS::SecretsManager::Secret": "secrets"}
"""What the text calls a resource that stays, where not by its own name."""
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = re.findall(r"aws ([a-z-]+) ([a-z-]+)((?:(?!aws |`|\)).)*)", re.sub(r"\\\n\s*", "", TEXT))
OWN = {"cloudformation": {"wait"}}
"""Commands of the command line that are no operation of the service."""
GLOBAL = {"output", "query"}


def test_everything_that_a_deleted_stack_leaves_is_named() -> None:
    left = []
    for template in TEMPLATES:
        for name, resource in load_yaml(template.read_text("utf-8"))["Resources"].items():
            policy = resource.get("DeletionPolicy", "Delete")
            layer = resource.get("Properties", {}).get("RetentionPolicy") == "Retain"
            if policy != "Delete" or layer:
                word = "layer" if layer else WORDS.get(resource["Type"], f"`{name}`")
                left.append((template.name, name, word))
    assert {name for _, name, _ in left} >= {"Table", "SlackSecret", "OidcProvider", "Artifacts", "SharedLayer"}
    assert [one for one in left if one[2] not in TEXT] == []


@pytest.mark.parametrize(("service", "operation", "options"), COMMANDS, ids=lambda part: str(part)[:30])
def test_every_command_and_option_is_one_of_awss(service: str, operation: str, options: str) -> None:
    """By botocore's models, which the command line is made from."""
    if operation in OWN.get(service, set()):
        return
    model = get_session().get_service_model(service)
    known = {re.sub(r"[^a-z]", "", name.lower()): name for name in model.operation_names}
    shape = model.operation_model(known[operation.replace("-", "")]).input_shape
    members = {re.sub(r"[^a-z]", "", name.lower()) for name in (shape.members if shape else ())}
    given = {name for name in re.findall(r"--([a-z-]+)", options) if name not in GLOBAL}
    assert {name for name in given if name.replace("-", "") not in members} == set()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a shell that reaches moto's server, and nobody's account."""
    if shutil.which("aws") is None:
        pytest.skip("There is no AWS command line here.")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_CONFIG_FILE": str(tmp_path_factory.mktemp("aws") / "none"),
        "AWS_PAGER": "",
    }
    server.stop()


class CloudFormation:
    """One stack, until it is deleted: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/ (XML). moto's
    own wants packages that nothing else here needs.
    """

    def __init__(self, outputs: dict[str, str], layer: str) -> None:
        self.outputs, self.layer, self.there = outputs, layer, True

    def __call__(self, request: Request) -> Response:
        action = request.form["Action"]
        if not self.there:
            error = "<Code>ValidationError</Code><Message>Stack with id platform-deploy does not exist</Message>"
            return Response(f"<ErrorResponse><Error>{error}</Error></ErrorResponse>", 400, content_type="text/xml")
        answer = getattr(self, f"_{action}")()
        body = f"<{action}Response><{action}Result>{answer}</{action}Result></{action}Response>"
        return Response(body, content_type="text/xml")

    def _DescribeStacks(self) -> str:
        pairs = (f"<OutputKey>{k}</OutputKey><OutputValue>{v}</OutputValue>" for k, v in self.outputs.items())
        members = "".join(f"<member>{pair}</member>" for pair in pairs)
        return f"<Stacks><member><StackName>platform-deploy</StackName><Outputs>{members}</Outputs></member></Stacks>"

    def _DescribeStackResources(self) -> str:
        kind = "<ResourceType>AWS::Lambda::LayerVersion</ResourceType>"
        member = f"{kind}<PhysicalResourceId>{self.layer}</PhysicalResourceId>"
        return f"<StackResources><member>{member}</member></StackResources>"

    def _DeleteStack(self) -> str:
        self.there = False
        return ""


def _installed(client: Any) -> CloudFormation:
    """A stack like ours as far as the commands look at it, and what outlives it."""
    client("dynamodb").create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    arns = [client("secretsmanager").create_secret(Name=n, SecretString="{}")["ARN"] for n in ("s", "g", "w")]
    code = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    layers = [client("lambda").publish_layer_version(LayerName="shared", Content=code) for _ in range(2)]
    names = ("TableName", "SlackSecretArn", "GithubSecretArn", "WebhookSecretArn")
    return CloudFormation(dict(zip(names, ["ledger", *arns], strict=True)), layers[-1]["LayerVersionArn"])


@pytest.mark.slow
def test_the_commands_leave_nothing_but_what_they_say(aws: dict[str, str]) -> None:
    def client(name: str) -> Any:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        return boto3.client(name, region_name="eu-west-1", endpoint_url=aws["AWS_ENDPOINT_URL"], **keys)

    stack = _installed(client)
    script = "set -euo pipefail\n" + "\n".join(re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in BLOCKS)
    server = make_server("127.0.0.1", 0, Request.application(stack))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {**aws, "AWS_ENDPOINT_URL_CLOUDFORMATION": f"http://127.0.0.1:{server.server_port}"}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=180, check=False)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert not stack.there
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert [one["BackupName"] for one in client("dynamodb").list_backups()["BackupSummaries"]] == [
        "platform-deploy-last"
    ]
    secrets = client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert len(secrets) == 3
    assert all("DeletedDate" in one for one in secrets), "they can be taken back until then"
    client("secretsmanager").restore_secret(SecretId=secrets[0]["ARN"])
    assert client("lambda").list_layer_versions(LayerName="shared")["LayerVersions"] == []
