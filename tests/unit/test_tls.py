"""Authorities are read once a process; without one that signs it, no server is believed."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import certifi
import pytest
from botocore.exceptions import SSLError

from bench.tls import Authority, front
from chatops import aws
from chatops.domain.errors import GitHubUnavailable
from chatops.github import client as github_client
from chatops.github.client import GitHub
from chatops.network import tls
from chatops.network.aws_json import NoAnswerError
from chatops.slack import client as slack


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as plain:
        Thread(target=plain.serve_forever, args=(0.02,), daemon=True).start()
        with front(f"http://127.0.0.1:{plain.server_address[1]}", authority) as secure:
            yield secure
        plain.shutdown()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The files of authorities that were read."""
    found: list[object] = []
    real = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: object = None, *more: object, **named: object) -> None:
        found.extend([cafile] if cafile else [])
        real(self, cafile, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    tls._of.cache_clear()
    yield found
    tls._of.cache_clear()
    github_client._session.cache_clear()


Ask = Callable[[str], object]


def _ours(_url: str) -> object:
    return aws.client("dynamodb", patience=0.25).get_item()


def _boto3s(_url: str) -> object:
    return aws.client("ecs").list_clusters()


def _slacks(url: str) -> object:
    return slack.respond(f"{url}/x", text="hello") or pytest.fail("not believed")


def _githubs(url: str) -> object:
    github_client._session.cache_clear()
    return GitHub("acme/checkout", url, lambda _fresh: "ghp_x", github_client._session()).get("/x")


ASKING: dict[str, Ask] = {"our client": _ours, "boto3": _boto3s, "slack_sdk": _slacks, "requests": _githubs}


@pytest.fixture
def trusting(environment: pytest.MonkeyPatch, server: str, reads: list[object]) -> Callable[[Path], None]:
    """Makes everybody trust a file."""
    environment.setenv("AWS_ENDPOINT_URL", server)
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "work")
    environment.setattr("time.sleep", lambda _seconds: None)

    def trust(file: Path) -> None:
        for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            environment.setenv(name, str(file))
        reads.clear()

    return trust


def _labelled(authority: Authority, path: Path, name: str) -> Path:
    """certifi's list, with the server's own authority under this name in front."""
    made = path / "labelled.pem"
    listed = Path(certifi.where()).read_text("utf-8").replace(f'# Label: "{name}"', "#")
    made.write_text(f'# Label: "{name}"\n{authority.certificate}\n{listed}')
    return made


@pytest.mark.parametrize(
    ("name", "asking"), [(tls.AWS[0], ("our client", "boto3")), (tls.WEB[0], ("slack_sdk", "requests"))]
)
def test_where_a_known_authority_has_signed_no_file_is_read(
    name: str,
    asking: tuple[str, ...],
    trusting: Callable[[Path], None],
    authority: Authority,
    server: str,
    reads: list[object],
    tmp_path: Path,
) -> None:
    trusting(_labelled(authority, tmp_path, name))
    for one in asking:
        ASKING[one](server)
    assert reads == []


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_where_another_has_signed_the_whole_file_is_read_once_and_the_server_believed(
    ask: Ask, trusting: Callable[[Path], None], authority: Authority, server: str, reads: list[object], tmp_path: Path
) -> None:
    file = _labelled(authority, tmp_path, "Somebody Else")
    trusting(file)
    for one in (ask, *ASKING.values()):
        one(server)
    assert reads == [str(file)]


def test_a_file_that_names_no_authority_is_read_at_once(
    trusting: Callable[[Path], None], authority: Authority, server: str, reads: list[object], tmp_path: Path
) -> None:
    file = tmp_path / "own.pem"
    file.write_text(authority.certificate)
    trusting(file)
    assert tls.web()
    assert reads == [str(file)]
    for ask in ASKING.values():
        ask(server)
    assert reads == [str(file)]


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_server_that_nobody_vouches_for_is_not_believed(
    ask: Ask, trusting: Callable[[Path], None], server: str
) -> None:
    trusting(Path(certifi.where()))
    with pytest.raises((SSLError, NoAnswerError, GitHubUnavailable, pytest.fail.Exception)):
        ask(server)


def test_the_list_that_comes_along_names_all_whom_we_know() -> None:
    assert tls._packed() == certifi.where()
    text = Path(certifi.where()).read_text("utf-8")
    for names in (tls.AWS, tls.WEB):
        assert tls._named(text, names).count("BEGIN CERTIFICATE") == len(names)


def test_aws_has_a_file_of_its_own_where_the_installation_says_so(
    environment: pytest.MonkeyPatch, authority: Authority, reads: list[object]
) -> None:
    assert tls.aws() is tls.web()
    environment.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    assert tls.aws() is not tls.web()
    assert tls.aws().minimum_version is ssl.TLSVersion.TLSv1_2
    assert (tls.aws().verify_mode, tls.aws().check_hostname) == (ssl.CERT_REQUIRED, True)
