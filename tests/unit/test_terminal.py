"""What somebody at a terminal is told where AWS does not take them."""

from __future__ import annotations

import pytest
from botocore import exceptions as e

from scripts.terminal import meaning


def refused(code: str) -> e.ClientError:
    return e.ClientError({"Error": {"Code": code, "Message": "canary"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (e.NoRegionError(), "AWS_REGION="),
        (e.NoCredentialsError(), "There are no AWS credentials here. Sign in"),
        (e.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "Sign in"),
        (e.ProfileNotFound(profile="work"), "work"),
        (e.UnauthorizedSSOTokenError(), "could not be read or renewed. Sign in"),
        (e.SSOTokenLoadError(error_msg="gone"), "Sign in"),
        (e.TokenRetrievalError(provider="sso", error_msg="gone"), "Sign in"),
        (e.CredentialRetrievalError(provider="process", error_msg="gone"), "Sign in"),
        (e.EndpointConnectionError(endpoint_url="https://x"), "cannot be reached"),
        (e.ConnectTimeoutError(endpoint_url="https://x"), "cannot be reached"),
        (refused("ExpiredToken"), "does not take these credentials (ExpiredToken). Sign in"),
        (refused("InvalidClientTokenId"), "(InvalidClientTokenId)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_who_is_not_signed_in_is_told_how(error: Exception, says: str) -> None:
    assert says in meaning(error)
    assert "canary" not in meaning(error)


@pytest.mark.parametrize("error", [refused("AccessDenied"), refused("ValidationError"), ValueError("x")], ids=repr)
def test_an_answer_speaks_for_itself(error: Exception) -> None:
    assert meaning(error) == ""
