"""How the pipeline reaches a host over SSH: secrets as people paste them, and connections that are lost."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dropping_proxy import Drop, dropping
from tests.unit.ssh_host import NO_SSHD, SCRIPTS, SSHD, Host, Server, free_port, has_ipv6

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SSHD, reason=NO_SSHD)]


@pytest.fixture
def asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Release a commit that the checkout lacks: what comes of it, which the host has answered to if it was reached."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import release_host  # type: ignore[import-not-found, unused-ignore]

    def ask(**settings: str) -> str:
        with pytest.raises(release_host.Refused) as refusal:
            release_host.release(host.env | {"SHA": "c" * 40} | settings, None)
        return str(refusal.value)

    return ask


REACHED = "git read-tree failed"


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine's loopback")
@pytest.mark.parametrize("address", ["[::1]", "::1"])
def test_an_address_of_ipv6_may_stand_in_brackets(host: Host, asked: Any, address: str) -> None:
    known = f"[::1]:{host.server.port} {(host.server.folder / 'host.pub').read_text()}"
    assert REACHED in asked(EC2_HOST=address, EC2_KNOWN_HOSTS=known)


def test_spaces_and_line_breaks_around_a_setting_are_taken_off(host: Host, asked: Any) -> None:
    assert REACHED in asked(**{name: f" {host.env[name]}\n" for name in ("EC2_HOST", "EC2_PORT", "EC2_USER")})


PASTED = {
    "CRLF": lambda key: key.replace("\n", "\r\n"),
    "\\n": lambda key: key.replace("\n", "\\n"),
    "\\r\\n in quotes": lambda key: '"' + key.replace("\n", "\\r\\n") + '"',
    "no last line break": lambda key: key.strip(),
    "indented": lambda key: "\n\n" + key.replace("\n", "\n    "),
}


@pytest.mark.parametrize("pasted", PASTED)
def test_what_copying_does_to_a_key_is_undone(host: Host, asked: Any, tmp_path: Path, pasted: str) -> None:
    assert REACHED in asked(SSH_PRIVATE_KEY=PASTED[pasted](host.env["SSH_PRIVATE_KEY"]))
    subprocess.run(["ssh-keygen", "-qt", "ecdsa", "-m", "PEM", "-N", "", "-f", str(tmp_path / "k")], check=True)
    answer = asked(SSH_PRIVATE_KEY=PASTED[pasted]((tmp_path / "k").read_text()))
    assert "The host does not accept SSH_PRIVATE_KEY" in answer, "a key in the older form is read as well"


@pytest.mark.parametrize("form", ["CRLF", "\\n", "hashed", "without the port", "scanned"])
def test_known_hosts_are_taken_in_every_form_that_ssh_has(host: Host, asked: Any, tmp_path: Path, form: str) -> None:
    known = host.env["EC2_KNOWN_HOSTS"]
    if form == "CRLF":
        known = f"# 127.0.0.1:22 SSH-2.0-OpenSSH_9.2\r\n{known.strip()}\r\n"
    elif form == "\\n":
        known = known.replace("\n", "\\n")
    elif form == "without the port":
        known = "127.0.0.1 " + known.split(" ", 1)[1]
    elif form == "hashed":
        (tmp_path / "k").write_text(known)
        subprocess.run(["ssh-keygen", "-qHf", str(tmp_path / "k")], check=True, stderr=subprocess.DEVNULL)
        known = (tmp_path / "k").read_text()
    else:
        scan = ["ssh-keyscan", "-p", str(host.server.port), "127.0.0.1"]
        known = subprocess.run(scan, check=True, capture_output=True, text=True).stdout
    assert REACHED in asked(EC2_KNOWN_HOSTS=known)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"EC2_HOST": "127.0.0.1:2222"}, "A port belongs into EC2_PORT"),
        ({"EC2_HOST": "[::1]:22"}, "A port belongs into EC2_PORT"),
        ({"EC2_HOST": "deploy@127.0.0.1"}, "the user into EC2_USER"),
        ({"EC2_HOST": "https://shop.example.com/"}, "EC2_HOST should hold the host's name or address alone"),
        ({"EC2_HOST": "-oProxyCommand=x"}, "EC2_HOST should hold the host's name or address alone"),
        ({"EC2_PORT": "65536"}, "EC2_PORT should hold a whole number from 1 to 65535, and holds '65536'"),
        ({"EC2_PORT": "ssh"}, "EC2_PORT should hold a whole number"),
        ({"EC2_PORT": "022"}, "EC2_PORT should hold a whole number"),
        ({"EC2_PORT": "٢٢"}, "EC2_PORT should hold a whole number"),
        ({"EC2_KEEP_RELEASES": "0"}, "EC2_KEEP_RELEASES should hold a whole number"),
        ({"EC2_HEALTH_SECONDS": "2m"}, "EC2_HEALTH_SECONDS should hold a whole number"),
        ({"EC2_USER": "-l root"}, "EC2_USER should hold a user's name"),
        ({"EC2_USER": " \n"}, "Set the secret EC2_USER"),
        ({"EC2_KNOWN_HOSTS": ""}, "Set the secret EC2_KNOWN_HOSTS"),
        ({"SSH_PRIVATE_KEY": ""}, "Set the secret SSH_PRIVATE_KEY"),
        ({"SSH_PRIVATE_KEY": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA a@b"}, "SSH_PRIVATE_KEY holds a public key"),
        ({"SSH_PRIVATE_KEY": "PuTTY-User-Key-File-3: ssh-ed25519\nx"}, "a key of PuTTY's"),
        ({"SSH_PRIVATE_KEY": "hunter2"}, "SSH_PRIVATE_KEY cannot be read as a key"),
        ({"EC2_KNOWN_HOSTS": "other ssh-ed25519 AAAA"}, r"no key of 127.0.0.1, port \d+ \(it has keys of other\)"),
        ({"EC2_KNOWN_HOSTS": "[127.0.0.1]:1 ssh-ed25519 AAAA"}, r"ssh-keyscan -p \d+ 127.0.0.1"),
        ({"EC2_KNOWN_HOSTS": "ssh-ed25519 AAAA"}, "EC2_KNOWN_HOSTS has no key of 127.0.0.1"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    asked: Any, capfd: pytest.CaptureFixture[str], settings: dict[str, str], reason: str
) -> None:
    answer = asked(**settings)
    assert re.search(reason, answer), answer
    assert "hunter2" not in answer
    assert capfd.readouterr().err == "", "ssh's own messages are not all that there is"


@pytest.mark.parametrize("form", [[], ["-m", "PEM", "-t", "rsa"]])
def test_a_key_with_a_passphrase_is_told_what_to_do(asked: Any, tmp_path: Path, form: list[str]) -> None:
    subprocess.run(["ssh-keygen", "-q", *form, "-N", "secret", "-f", str(tmp_path / "locked")], check=True)
    locked = (tmp_path / "locked").read_text()
    assert "SSH_PRIVATE_KEY has a passphrase" in asked(SSH_PRIVATE_KEY=locked)
    assert "all line breaks included" in asked(SSH_PRIVATE_KEY=locked.replace("\n", " "))


def test_another_hosts_key_or_another_users_is_refused(host: Host, asked: Any) -> None:
    other = (host.server.folder / "other.pub").read_text()
    wrong = asked(EC2_KNOWN_HOSTS=f"[127.0.0.1]:{host.server.port} {other}")
    assert "is not the one in EC2_KNOWN_HOSTS" in wrong
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=other, capture_output=True, text=True).stdout
    refused = asked(SSH_PRIVATE_KEY=(host.server.folder / "other").read_text())
    assert f"Put its public key ({shown.split()[1]})" in refused
    assert not (host.home / "releases").exists()


def test_only_the_secrets_host_key_counts(host: Host, tmp_path: Path) -> None:
    """Not what the runner itself trusts, nor a name in its ssh settings."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(host.env["EC2_KNOWN_HOSTS"])
    (tmp_path / ".ssh" / "config").write_text("Host *\n  StrictHostKeyChecking no\n")
    wrong = f"127.0.0.1 {(host.server.folder / 'other.pub').read_text()}"
    done = host.release(host.commit("true"), EC2_KNOWN_HOSTS=wrong)
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=Release::The key that 127.0.0.1")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert '"GlobalKnownHostsFile": "/dev/null"' in (SCRIPTS / "ssh_connection.py").read_text()


STARTED = 'echo "$SHA" >> "$HOME/started"'
BEGUN = "the host has begun"


@pytest.mark.parametrize(
    "drops",
    [
        [0],
        [40],
        [0, 0],
        [None, 100_000],
        [None, 20_000, 60_000],
        [None, None, 5_000],
        [None, None, BEGUN],
        [None] * 2 + [BEGUN, 0],
    ],
    ids=str,
)
def test_a_connection_that_is_lost_costs_time_and_nothing_else(host: Host, drops: list[Any]) -> None:
    """Before the banner, in the key exchange, while the release is brought, while it is started."""
    (host.source / "large").write_bytes(os.urandom(300_000))
    sha = host.commit(f"{STARTED}; sleep 1")
    with dropping(host.server.port, planned(host, drops)) as port:
        done = host.release(sha, **through(host.server, port))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Trying again in") == sum(drop is not None for drop in drops)
    assert host.live() == sha
    assert host.started() == [sha], "once"
    assert not list((host.home / "releases").glob(".new-*")), "nothing is left of the tries"


@pytest.mark.parametrize("drops", [[0], [None, 2_000], [None, BEGUN]], ids=str)
def test_a_rollback_does_not_fail_for_a_lost_connection(host: Host, drops: list[Any]) -> None:
    old, bad = host.commit(f"{STARTED}; sleep 1"), host.commit(f"{STARTED}; : ")
    assert [host.release(sha).returncode for sha in (old, bad)] == [0, 0]
    (host.home / "started").unlink()
    with dropping(host.server.port, planned(host, drops)) as port:
        done = host.release(old, SOURCE="/nonexistent", **through(host.server, port))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (host.live(), host.started()) == (old, [old])


def test_a_release_that_fails_while_nobody_listens_is_reported_by_the_next_try(host: Host) -> None:
    good = host.commit(STARTED)
    assert host.release(good).returncode == 0
    (host.home / "started").unlink()
    bad = host.commit(f"{STARTED}; sleep 1; exit 3")
    with dropping(host.server.port, planned(host, [None, None, BEGUN])) as port:
        done = host.release(bad, **through(host.server, port))
    assert done.returncode == 1
    assert f"{bad} was switched to, and deploy.sh ended with the status 3. The release before it, {good}" in done.stdout
    assert host.started() == [bad, good], "each once"


def planned(host: Host, drops: list[Any]) -> list[Drop]:
    return [(host.home / "started").exists if drop == BEGUN else drop for drop in drops]


def through(server: Server, port: int) -> dict[str, str]:
    return {"EC2_PORT": str(port), "EC2_KNOWN_HOSTS": f"127.0.0.1 {(server.folder / 'host.pub').read_text()}"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "nothing answers there; does sshd run, and is EC2_PORT right?"),
        ({"EC2_HOST": "no-such-host.invalid"}, "the name in EC2_HOST is not found"),
    ],
)
def test_tries_end_with_what_to_do(
    host: Host, asked: Any, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], reason: str
) -> None:
    import ssh_connection  # type: ignore[import-not-found, unused-ignore]

    waited: list[float] = []
    monkeypatch.setattr(ssh_connection.time, "sleep", waited.append)
    key = (host.server.folder / "host.pub").read_text()
    known = f"{settings.get('EC2_HOST', '127.0.0.1')} {key}"
    answer = asked(EC2_PORT=str(free_port()), EC2_KNOWN_HOSTS=known, **settings)
    assert reason in answer
    assert answer.endswith("That was the last of 6 tries. Nothing was changed on the host.")
    assert waited == [1, 2, 4, 8, 16]
