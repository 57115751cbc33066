"""The clients of targets in other accounts: a warm function lives longer than the credentials of an assumed role."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.retries import standard

from chatops import aws, clock
from tests.unit.conftest import Time

ROLE = "arn:aws:iam::210987654321:role/platform-deploy"


class Sts:
    """STS as far as assuming a role goes: every time other credentials, good for an hour."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def assume_role(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        made = len(self.asked)
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA{made}",
                "SecretAccessKey": f"secret-{made}",
                "SessionToken": f"token-{made}",
                "Expiration": clock.at(clock.now() + arguments["DurationSeconds"]),
            }
        }


@pytest.fixture
def sts(environment: pytest.MonkeyPatch) -> Sts:
    fake, real = Sts(), boto3.client

    def made(name: str, **more: Any) -> Any:
        client = real(name, **more)
        if name == "sts":
            client.assume_role = fake.assume_role
        return client

    environment.setattr(boto3, "client", made)
    return fake


def keys(client: Any) -> tuple[str, str]:
    """What the client would sign its next request with."""
    found = client._request_signer._credentials.get_frozen_credentials()
    return found.access_key, found.token


def test_a_target_in_another_account_is_reached_with_its_role_and_others_with_the_functions(
    sts: Sts, time: Time
) -> None:
    assert keys(aws.client("ecs"))[0] == "AKIAEXAMPLE"
    assert sts.asked == []
    client = aws.client("ecs", region="eu-west-1", role_arn=ROLE)
    assert client.meta.region_name == "eu-west-1"
    assert keys(client) == ("ASIA1", "token-1")
    assert sts.asked == [{"RoleArn": ROLE, "RoleSessionName": "platform-deploy", "DurationSeconds": 3600}]


def test_the_role_is_assumed_again_before_its_credentials_expire_and_not_before(sts: Sts, time: Time) -> None:
    client = aws.client("ecs", role_arn=ROLE)
    assert keys(client)[0] == "ASIA1"
    time.pass_by(30 * 60)
    assert keys(aws.client("ecs", role_arn=ROLE))[0] == "ASIA1"
    time.pass_by(25 * 60)
    assert aws.client("ecs", role_arn=ROLE) is client, "the client, with its connections, is kept"
    assert keys(client) == ("ASIA2", "token-2")
    for _ in range(20):
        time.pass_by(3600)
        keys(client)
    assert len(sts.asked) == 22


def test_a_role_that_may_not_be_assumed_is_an_error_at_the_first_request(
    sts: Sts, time: Time, environment: pytest.MonkeyPatch
) -> None:
    def refused(**_arguments: Any) -> dict[str, Any]:
        raise aws_error("AccessDenied")

    environment.setattr(sts, "assume_role", refused)
    client = aws.client("ecs", role_arn=ROLE)
    with pytest.raises(Exception, match="AccessDenied") as caught:
        client.describe_clusters()
    assert not aws.is_transient(caught.value)


def aws_error(code: str, status: int = 403) -> Exception:
    from botocore.exceptions import ClientError

    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "AssumeRole"
    )


BOTOCORE_TRIES_AGAIN = {
    *standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
    *standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES,
}


def test_what_botocore_tries_again_the_state_machine_tries_again() -> None:
    assert [code for code in sorted(BOTOCORE_TRIES_AGAIN) if not aws.is_transient(aws_error(code, 400))] == []
    assert len(BOTOCORE_TRIES_AGAIN) > 10
    # throttling and 5xx under an unknown name may go away, and a refusal does not
    assert aws.is_transient(aws_error("SomethingNew", 429))
    assert aws.is_transient(aws_error("SomethingNew", 503))
    assert aws.is_transient(aws_error("UpdateInProgressException", 400)), "ECS, while it still updates the service"
    assert not aws.is_transient(aws_error("SomethingNew", 400))
