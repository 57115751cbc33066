"""What AWS's refusals mean for somebody at a terminal, and what to do."""

from __future__ import annotations

from chatops.aws import error_code

# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html, and each service's own page of them.
_NOT_SIGNED_IN = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_SIGN_IN = "Sign in (aws sso login, aws configure), or name a profile in AWS_PROFILE."


def meaning(error: Exception) -> str:
    """One or two sentences for an error of botocore's before or instead of an answer; empty for an answer that says
    something else (rights, a stack that is not there). Never a value of the request."""
    from botocore import exceptions as e

    if isinstance(error, e.NoRegionError):
        return "No AWS region is set. AWS_REGION=eu-west-1 (for example) names it."
    if isinstance(error, e.NoCredentialsError | e.PartialCredentialsError):
        return f"There are no AWS credentials here. {_SIGN_IN}"
    if isinstance(error, e.ProfileNotFound):
        return f"There is no AWS profile of that name here ({error})."
    if isinstance(error, e.CredentialRetrievalError | e.SSOError | e.TokenRetrievalError):
        return f"The AWS credentials here could not be read or renewed. {_SIGN_IN}"
    if isinstance(error, e.HTTPClientError | e.ConnectionError):
        return "AWS cannot be reached from here: look at the network, the region and AWS_ENDPOINT_URL."
    if (code := error_code(error)) in _NOT_SIGNED_IN:
        return f"AWS does not take these credentials ({code}). {_SIGN_IN}"
    return ""
