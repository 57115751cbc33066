"""One TLS context for all AWS clients of a process, one for Slack: the authorities are read once.

urllib3 reads the file of authorities for each new connection, and urllib for each request: 40 ms of processor time, of
which the Slack edge has 170. botocore takes no context of ours (https://github.com/boto/botocore/issues/2025), so it
is put where botocore keeps its own; where that place is not, clients work as before, only slower (a test looks).
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any


class _Once(ssl.SSLContext):
    """Reads each file once."""

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        known: set[Any] = self.__dict__.setdefault("_read", set())
        if (cafile, capath, cadata) not in known:
            super().load_verify_locations(cafile, capath, cadata)
            known.add((cafile, capath, cadata))


@cache
def _aws() -> ssl.SSLContext:
    made = _Once(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = (
        ssl.TLSVersion.TLSv1_2
    )  # https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/
    return made


def sharing(client: Any) -> Any:
    """The boto3 client, with the context of all."""
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    kept = getattr(getattr(http, "_manager", None), "connection_pool_kw", {})
    if "ssl_context" in kept:
        kept["ssl_context"] = _aws()
    return client


@cache
def web() -> ssl.SSLContext:
    """The context of requests to Slack."""
    return ssl.create_default_context()
