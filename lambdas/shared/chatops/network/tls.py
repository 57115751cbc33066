"""One TLS context for all that a process asks: AWS, Slack, GitHub.

Reading a file of a hundred and fifty authorities takes 200 million instructions, twice what a whole request takes, and
urllib3 reads it for each new connection. So the context knows those by which AWS is signed today, and from the first
request to others also Slack's and GitHub's. A server that shows another's makes it read the whole file: whoever asked
asks once more. A file that names no authority, as an installation's own may, is read at once.

botocore takes no context of ours (https://github.com/boto/botocore/issues/2025): it is put where botocore keeps its
own; where that place is not, clients work as before, only slower (a test looks).
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from importlib.util import find_spec
from typing import Any

AWS = (
    *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
    "Starfield Services Root Certificate Authority - G2",
)
"""https://www.amazontrust.com/repository/ names them."""
WEB = (
    *(f"DigiCert Global Root {name}" for name in ("G2", "G3")),
    "USERTrust ECC Certification Authority",
    "Sectigo Public Server Authentication Root E46",
    "ISRG Root X1",
)
"""Slack's and GitHub's."""


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
        made.know(AWS)
        return made

    def know(self, names: tuple[str, ...]) -> None:
        """Let it know these of the file's authorities; all where the file names none of them."""
        if self.file in self.read or names in self.read:
            return
        self.read.add(names)
        with open(self.file, encoding="utf-8", errors="replace") as file:
            found = _named(file.read(), names)
        if found:
            self.load_verify_locations(cadata=found)
        else:
            self.complete()

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


def _named(text: str, names: tuple[str, ...]) -> str:
    """Their certificates in a file that says above each whose it is, as Mozilla's list does."""
    found = []
    for part in text.split('# Label: "')[1:]:
        name, _, rest = part.partition('"\n')
        _, begun, certificate = rest.partition("-----BEGIN")
        if name in names and begun:
            found.append(begun + certificate.partition("#")[0])
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
    own, others = os.environ.get("AWS_CA_BUNDLE", ""), _others()
    return _of(own, system=False) if own and own != others else _of(others or _packed(), system=True)


def web() -> Context:
    """The context of all other requests."""
    made = _of(_others() or _packed(), system=True)
    made.know(WEB)
    return made


def _others() -> str:
    """The file that the installation names for them, if any."""
    return os.environ.get("SSL_CERT_FILE", "")


@cache
def _packed() -> str:
    """certifi's file, whose path takes longer to import than the file to read."""
    spec = find_spec("certifi")
    return os.path.join(os.path.dirname(spec.origin if spec and spec.origin else ""), "cacert.pem")


def sharing(client: Any) -> Any:
    """The boto3 client, with the context of all."""
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    kept = getattr(getattr(http, "_manager", None), "connection_pool_kw", {})
    if "ssl_context" in kept:
        kept["ssl_context"] = aws()
    return client
