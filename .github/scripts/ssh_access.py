"""How a host is reached over SSH, from the secrets; each of them checked before anything is asked of the host.

    EC2_HOST, EC2_USER    a name or an address; the user there
    EC2_PORT              default: 22
    SSH_PRIVATE_KEY       without a passphrase
    EC2_KNOWN_HOSTS       what `ssh-keyscan` shows for the host

What copying does to a key is undone: Windows line ends, line breaks that became `\\n`, quotes, indents, a missing last
line break.
"""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner import Refused

NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})")
USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+$@\\-]{0,255}")
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Access:
    """A host, the user there, and the files that ssh reads, in a folder that is removed afterwards."""

    host: str
    port: int
    user: str
    folder: Path
    fingerprint: str
    """Of SSH_PRIVATE_KEY: says which public key the host needs."""

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def keyscan(self) -> str:
        return f"ssh-keyscan {'' if self.port == 22 else f'-p {self.port} '}{self.host}"


def number(env: Mapping[str, str], name: str, default: int, most: int = 99999) -> int:
    """A setting that holds a whole number. Raises Refused with its name."""
    text = env.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > most:
        raise Refused(f"{name} should hold a whole number from 1 to {most}, and holds {text!r}.")
    return int(text)


def read(env: Mapping[str, str], folder: Path) -> Access:
    """Check what leads to the host and write the files that ssh reads into the folder. Raises Refused."""
    for name in ("EC2_USER", "SSH_PRIVATE_KEY", "EC2_KNOWN_HOSTS"):
        if not env.get(name, "").strip():
            raise Refused(f"Set the secret {name} in the target's environment.")
    host, user = address(env["EC2_HOST"]), env["EC2_USER"].strip()
    if not USER.fullmatch(user):
        raise Refused("EC2_USER should hold a user's name on the host, for example ec2-user.")
    port = number(env, "EC2_PORT", 22, HIGHEST_PORT)
    access = Access(host, port, user, folder, private_key(env["SSH_PRIVATE_KEY"], folder / "key"))
    known_hosts(env["EC2_KNOWN_HOSTS"], access)
    return access


def address(text: str) -> str:
    """A host's name or address as ssh takes it, from EC2_HOST. Raises Refused."""
    text = text.strip()
    if bracketed := re.fullmatch(r"\[([^\]]+)\]", text):
        text = bracketed[1]
    if text.count(":") > 1:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            pass
        else:
            return text
    elif NAME.fullmatch(text):
        return text
    raise Refused(
        "EC2_HOST should hold the host's name or address alone, for example shop.example.com, 203.0.113.7 or "
        "2001:db8::7. A port belongs into EC2_PORT, the user into EC2_USER."
    )


def lines(text: str) -> list[str]:
    """The lines of a secret, without what copying adds to them."""
    text = text.strip().strip("\"'")
    if "\n" not in text:
        text = text.replace("\\r", "").replace("\\n", "\n")
    return [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def private_key(text: str, file: Path) -> str:
    """Write the key so that ssh reads it; its fingerprint. Raises Refused; never quotes the key."""
    file.touch(0o600)
    file.write_text("\n".join(lines(text)).strip("\n") + "\n")
    if file.read_text().startswith(("ssh-", "ecdsa-", "sk-")):
        raise Refused("SSH_PRIVATE_KEY holds a public key. Set it to the private one, the file without .pub.")
    if file.read_text().startswith("PuTTY"):
        raise Refused("SSH_PRIVATE_KEY holds a key of PuTTY's. Export it from PuTTYgen as an OpenSSH key.")
    public = file.with_name("key.pub")
    made = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", str(file)], capture_output=True, text=True, check=False)
    if made.returncode:
        if "passphrase" in made.stderr:
            raise Refused(
                "SSH_PRIVATE_KEY has a passphrase, which nobody can type in here. Take it off a copy "
                "(`ssh-keygen -p -N '' -f copy`), or make a key for this alone (`ssh-keygen -t ed25519 -N '' -f key`)."
            )
        raise Refused(
            "SSH_PRIVATE_KEY cannot be read as a key. Set it to the whole file, its first and last line "
            "and all line breaks included: `gh secret set SSH_PRIVATE_KEY < file`."
        )
    public.write_text(made.stdout)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(public)], capture_output=True, text=True, check=False)
    return (shown.stdout.split() or ["", ""])[1]


def known_hosts(text: str, access: Access) -> None:
    """Write the host's keys for ssh. Raises Refused where none of them is this host's."""
    access.known_hosts.write_text("\n".join(lines(text)) + "\n")
    name = access.host.lower()
    # ssh looks for [host]:port first, and then for the host's name alone.
    for place in dict.fromkeys((name if access.port == 22 else f"[{name}]:{access.port}", name)):
        found = subprocess.run(
            ["ssh-keygen", "-F", place, "-f", str(access.known_hosts)], capture_output=True, check=False
        )
        if found.returncode == 0 and found.stdout.strip():
            return
    others = sorted({line.split()[0] for line in lines(text) if line and line[0] not in "#|@" and " " in line})
    has = f" (it has keys of {', '.join(others)[:200]})" if others else ""
    raise Refused(
        f"EC2_KNOWN_HOSTS has no key of {access.host}, port {access.port}{has}. "
        f"Set it to what `{access.keyscan}` shows, compared with the host's own keys."
    )
