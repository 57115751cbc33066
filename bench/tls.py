"""TLS in front of servers on this machine: with a certificate of our own authority, and as many others as AWS's clients
and Slack's load beside it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_AMAZONS = '# Label: "Amazon Root CA 1"'


class Authority:
    """A certificate for 127.0.0.1 that signs itself. `bundle` is the file that whoever asks trusts: it stands there in
    the place of one of Amazon's, as AWS's servers have one."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        certificate = made.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._file = folder / "server.pem"
        self._file.write_bytes(private + certificate)
        self.certificate = certificate.decode()
        self.bundle = folder / "authorities.pem"
        listed = Path(certifi.where()).read_text("utf-8").replace(_AMAZONS, "#")
        self.bundle.write_text(f"{listed}\n{_AMAZONS}\n{self.certificate}", "utf-8")

    def context(self) -> ssl.SSLContext:
        """The server's side."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self._file)
        return made

    def environment(self) -> dict[str, str]:
        """By which botocore, OpenSSL (urllib, slack_sdk) and requests find the bundle."""
        return dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(self.bundle))


@contextmanager
def front(url: str, authority: Authority) -> Iterator[str]:
    """The https address under which the server at this http address can be reached meanwhile."""
    context, behind = authority.context(), urlsplit(url).port
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=_serve, args=(server.accept()[0], context, behind), daemon=True).start()

        threading.Thread(target=take, name="tls", daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def _serve(taken: socket.socket, context: ssl.SSLContext, behind: int) -> None:
    with (
        suppress(OSError),
        context.wrap_socket(taken, server_side=True) as outside,
        socket.create_connection(("127.0.0.1", behind)) as inside,
    ):
        back = threading.Thread(target=_pass, args=(inside, outside), daemon=True)
        back.start()
        _pass(outside, inside)
        back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
