"""STS's GetCallerIdentity, for the operator's command: moto's own would load all of IAM for one fixed answer."""

from __future__ import annotations

ARN = "arn:aws:iam::123456789012:user/local"

_ANSWER = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>{ARN}</Arn><UserId>AIDALOCAL</UserId><Account>123456789012</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"""


def answer(body: bytes) -> bytes | None:
    """The answer, if that is what the form asks for.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    return _ANSWER.encode() if b"Action=GetCallerIdentity" in body else None
