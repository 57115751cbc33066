"""AWS STS: the roles that targets name, each assumed for an hour with credentials of its own account.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from fakes import identity
from fakes.aws_json import ACCOUNT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
_ALPHABET = string.ascii_uppercase + string.digits


class Sts:
    """`roles`: the ARNs that may be assumed; any other is AccessDenied, as one is that is missing or trusts nobody."""

    def __init__(self) -> None:
        self.roles: set[str] = set()
        self.assumed: list[str] = []
        self._accounts: dict[str, str] = {}

    def account_of(self, access_key: str) -> str:
        """Whose account an access key belongs to."""
        return self._accounts.get(access_key, ACCOUNT)

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application: the Query protocol."""
        form = Request(environ).form
        action, role = form.get("Action", ""), form.get("RoleArn", "")
        if action == "GetCallerIdentity":
            response = _xml((identity.answer(b"Action=GetCallerIdentity") or b"").decode())
        elif action != "AssumeRole":
            response = _error("InvalidAction", f"Could not find operation {action}", 400)
        elif role not in self.roles:
            response = _error("AccessDenied", f"not authorized to perform: sts:AssumeRole on resource: {role}", 403)
        else:
            response = self._assume(role, form.get("RoleSessionName", ""), int(form.get("DurationSeconds", "3600")))
        return response(environ, start_response)

    def _assume(self, role: str, session: str, seconds: int) -> Response:
        account = role.split(":")[4]
        key = "ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        self._accounts[key] = account
        self.assumed.append(role)
        until = datetime.fromtimestamp(int(time.time()) + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        name = role.partition(":role/")[2].rpartition("/")[2]
        return _xml(f"""<AssumeRoleResponse xmlns="{XMLNS}">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::{account}:assumed-role/{escape(name)}/{escape(session)}</Arn>
      <AssumedRoleId>AROALOCAL:{escape(session)}</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>{key}</AccessKeyId>
      <SecretAccessKey>{secrets.token_hex(20)}</SecretAccessKey>
      <SessionToken>{secrets.token_hex(32)}</SessionToken>
      <Expiration>{until}</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>
</AssumeRoleResponse>""")


def _error(code: str, message: str, status: int) -> Response:
    text = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return _xml(f'<ErrorResponse xmlns="{XMLNS}">{text}<RequestId>0</RequestId></ErrorResponse>', status)


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/xml")
