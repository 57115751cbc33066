"""What AWS's refusals say about an installation, and what they only say about whoever is asking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatops.aws import error_code
from doctor.result import NoAnswer, NotLooked

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"})
_STRANGER = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    }
)
_SIGN_IN = "Sign in (aws sso login, or AWS_PROFILE, or keys), and try aws sts get-caller-identity."


@contextmanager
def asking(action: str, *, role: str = "") -> Iterator[None]:
    """Turn AWS's refusals of `action` (ecs:DescribeServices) into NotLooked, and silence into NoAnswer.

    Other error codes are the check's matter and come through. `role`: what is assumed first.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        CredentialRetrievalError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        TokenRetrievalError,
    )

    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _STRANGER:
            raise NotLooked(f"AWS does not take your credentials ({code})", _SIGN_IN) from None
        if code not in _DENIED:
            raise
        if error.operation_name == "AssumeRole":
            raise NotLooked(
                f"you may not assume {role}",
                "The bot's functions must be allowed to: the role's trust policy should name the roles of the stack's "
                "plan, ecs and restore functions. Run this as somebody whom it trusts too, to look at the service.",
            ) from None
        raise NotLooked(f"you may not call {action}", "Ask with rights to read the account (ReadOnlyAccess).") from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError) as error:
        raise NotLooked(f"there are no AWS credentials here ({type(error).__name__})", _SIGN_IN) from None
    except NoRegionError:
        raise NotLooked("no AWS region is set", "Set AWS_REGION.") from None
    except BotoCoreError as error:
        raise NoAnswer(f"AWS did not answer {action} ({type(error).__name__})") from None
