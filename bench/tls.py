"""TLS in front of servers on this machine: with a certificate of our own authority, and as many others as AWS's clients
and Slack's load beside it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
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


class _Handler(BaseHTTPRequestHandler):
    """Hands a request on, and keeps the connection, as AWS, Slack and GitHub do and Werkzeug's server doesn't."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Front

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # a function that was killed
            self.close_connection = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behind = HTTPConnection("127.0.0.1", self.server.behind)
        with closing(behind):
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


class _Front(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 200

    def __init__(self, behind: int, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self._context = behind, context

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)


@contextmanager
def front(url: str, authority: Authority) -> Iterator[str]:
    """The https address under which the server at this http address can be reached meanwhile."""
    with _Front(urlsplit(url).port or 0, authority.context()) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), name="tls", daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
