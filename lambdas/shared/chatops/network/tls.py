"""One TLS context for all that a process asks: AWS, Slack, GitHub.

Reading a file of a hundred and fifty authorities takes 200 million instructions, twice what a whole request takes, and
urllib3 reads it for each new connection. So the context knows those by which AWS, Slack and GitHub are signed today. A
server that shows another's makes it read the whole file: whoever asked asks once more. A file that names no authority,
as an installation's own may, is read at once.

botocore takes no context of ours (https://github.com/boto/botocore/issues/2025): it is put where botocore keeps its
own; where that place is not, clients work as before, only slower (a test looks).
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FIRST = (
    *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
    "Starfield Services Root Certificate Authority - G2",
    *(f"DigiCert Global Root {name}" for name in ("G2", "G3")),
    "USERTrust ECC Certification Authority",
    "Sectigo Public Server Authentication Root E46",
    "ISRG Root X1",
)
"""https://www.amazontrust.com/repository/ names AWS's; the others are Slack's and GitHub's."""


class Context(ssl.SSLContext):
    """Of the authorities in a file; `read` is which files it has read so far."""

    file: str
    system: bool
    read: set[Any]

    @classmethod
    def of(cls, file: str, *, system: bool) -> Context:
        """`system`: those of the machine count as well, once the file is read."""
        made = cls(ssl.PROTOCOL_TLS_CLIENT)
        # https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.file, made.system, made.read = file, system, set[Any]()
        if first := _first(Path(file).read_text("utf-8", "replace")):
            made.load_verify_locations(cadata=first)
        else:
            made.complete()
        return made

    def complete(self) -> None:
        """Let it know all authorities."""
        if self.file not in self.read:
            self.read.add(self.file)
            super().load_verify_locations(self.file)
            if self.system:
                self.load_default_certs()

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """Each once; urllib3 asks for its own file again and again."""
        if cafile != self.file and (cafile, capath, cadata) not in self.read:
            super().load_verify_locations(cafile, capath, cadata)
            self.read.add((cafile, capath, cadata))

    def wrap_socket(self, *given: Any, **named: Any) -> ssl.SSLSocket:
        try:
            return super().wrap_socket(*given, **named)
        except ssl.SSLCertVerificationError:
            self.complete()
            raise


def _first(text: str) -> str:
    """The certificates of FIRST in a file that says above each whose it is, as Mozilla's list does."""
    found = []
    for name in FIRST:
        _, _, rest = text.partition(f'# Label: "{name}"\n')
        certificate, ended, _ = rest[rest.find("-----BEGIN") :].partition("-----END CERTIFICATE-----")
        if ended:
            found.append(certificate + ended)
    return "\n".join(found)


def unverified(error: Exception) -> bool:
    """Whether it says that nobody known signed the server's certificate: nothing was sent, and by now all authorities
    are known. The texts of urllib's, requests' and botocore's errors all hold OpenSSL's."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


@cache
def _of(file: str, *, system: bool) -> Context:
    return Context.of(file, system=system)


def aws() -> Context:
    """The context of requests to AWS: `AWS_CA_BUNDLE` is an installation's own file."""
    own = os.environ.get("AWS_CA_BUNDLE", "")
    return _of(own, system=False) if own and own != os.environ.get("SSL_CERT_FILE") else web()


def web() -> Context:
    """The context of all other requests."""
    return _of(os.environ.get("SSL_CERT_FILE") or _packed(), system=True)


@cache
def _packed() -> str:
    """certifi's file, whose path takes longer to import than the file to read."""
    spec = find_spec("certifi")
    return str(Path(spec.origin if spec and spec.origin else "").with_name("cacert.pem"))


def sharing(client: Any) -> Any:
    """The boto3 client, with the context of all."""
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    kept = getattr(getattr(http, "_manager", None), "connection_pool_kw", {})
    if "ssl_context" in kept:
        kept["ssl_context"] = aws()
    return client
