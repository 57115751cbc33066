"""The pipeline's release on a host, over SSH, against a real sshd on this machine: what is live there at the end."""

from __future__ import annotations

import getpass
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.unit.ssh_host import NO_SSHD, SCRIPTS, SSHD, Host, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SSHD, reason=NO_SSHD)]


IMAGE = f"ghcr.io/acme/shop@sha256:{'1' * 64}"


def test_a_host_gets_the_commit_and_starts_it(host: Host) -> None:
    sha = host.commit('echo "$VERSION|$SHA|$IMAGE" > "$HOME/deployed"; cat')
    done = host.release(sha, IMAGE=IMAGE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.live() == sha
    assert (host.home / "deployed").read_text() == f"v1.2.3|{sha}|{IMAGE}\n"
    assert "PRIVATE KEY" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("touch sick", "it was not healthy within 1 seconds: EC2_HEALTH_COMMAND ends with the status 1"),
        ("exit 3", "deploy.sh ended with the status 3"),
    ],
)
def test_a_release_that_fails_is_switched_back_and_the_one_before_started_again(
    host: Host, what: str, why: str
) -> None:
    good = host.commit('echo "$VERSION" >> "$HOME/started"')
    assert host.release(good).returncode == 0
    bad = host.commit(f'echo "$VERSION" >> "$HOME/started"; {what}')
    done = host.release(bad, VERSION="v2.0.0")
    assert done.returncode == 1
    assert f"{bad} was switched to, and {why}. The release before it, {good}, is live again and healthy." in done.stdout
    assert host.live() == good
    assert host.started() == ["v1.2.3", "v2.0.0", "v1.2.3"]
    assert (host.home / "releases" / "failed" / "deploy.sh").exists(), "kept for a look"
    assert not (host.home / "releases" / bad).exists(), "the next try brings it anew"


def test_a_release_before_that_was_not_executable_is_started_again_too(host: Host) -> None:
    good = host.commit("true")
    assert host.release(good).returncode == 0
    (host.home / "current" / "deploy.sh").chmod(0o644)
    done = host.release(host.commit("printf 'no line end'; exit 1"))
    assert f"The release before it, {good}, is live again and healthy" in done.stdout
    assert "\n::error title=Release::" in done.stdout, "at the beginning of a line, or GitHub does not see it"
    assert not list(host.home.glob("current.*"))


def test_a_first_release_that_fails_says_that_there_is_nothing_to_return_to(host: Host) -> None:
    done = host.release(host.commit("touch sick"))
    assert done.returncode == 1
    assert "no other release is on the host" in done.stdout


def test_a_rollback_switches_to_what_lies_there_without_bringing_it_again(host: Host) -> None:
    old = host.commit("echo built > artefact")
    assert host.release(old).returncode == 0
    (host.home / "releases" / old / "kept").touch()
    assert host.release(host.commit("true")).returncode == 0
    assert host.release(old, SOURCE="/nonexistent").returncode == 0
    assert host.live() == old
    assert (host.home / "current" / "kept").exists()


def test_the_last_releases_stay_and_the_live_one_always(host: Host) -> None:
    made = [host.commit(f"echo {number}") for number in range(3)]
    for number, sha in enumerate(made):
        assert host.release(sha, EC2_KEEP_RELEASES="2").returncode == 0
        os.utime(host.home / "releases" / sha, (number, number))  # their times differ, without waiting for it
    left = {path.name for path in (host.home / "releases").iterdir() if path.is_dir()}
    assert left == set(made[1:])


def test_old_releases_with_folders_that_are_read_only_are_removed() -> None:
    """Go's module cache leaves such folders, and `rm -rf` ends at them. https://go.dev/ref/mod#module-cache"""
    script = (SCRIPTS / "ec2_on_host.sh").read_text().removesuffix("main\n")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        home, names = Path(place), [f"{number}" * 40 for number in range(1, 4)]
        for number, name in enumerate(names):
            cache = home / "releases" / name / "go" / "pkg"
            cache.mkdir(parents=True)
            (cache / "mod.go").touch()
            cache.chmod(0o555)
            os.utime(home / "releases" / name, (number, number))
        (home / "current").symlink_to(f"releases/{names[2]}")
        user = getpass.getuser()
        if os.geteuid() == 0:  # whom no mode stops
            user = "nobody"
            subprocess.run(["chown", "-R", user, place], check=True)
        given = ["bash", "-c", f"{script}\nKEEP_RELEASES=1; prune; remove releases/{names[2]}"]
        done = subprocess.run(given, cwd=home, user=user, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert list((home / "releases").iterdir()) == []


def test_what_runs_on_does_not_hold_up_the_next_release(host: Host) -> None:
    """A service that deploy.sh left running must not inherit the lock."""
    sha = host.commit('sleep 30 >/dev/null 2>&1 & echo $! > "$HOME/pid"')
    assert host.release(sha).returncode == 0
    assert host.release(host.commit("true")).returncode == 0


def test_nothing_of_the_event_becomes_a_command_on_the_host(host: Host) -> None:
    sha = host.commit('printf %s "$VERSION" > "$HOME/version"')
    evil = 'v1\'; touch "$HOME/pwned"; $(touch $HOME/pwned) `touch $HOME/pwned`\n touch $HOME/pwned'
    assert host.release(sha, VERSION=evil).returncode == 0
    assert (host.home / "version").read_text() == evil
    assert not (host.home / "pwned").exists()
    refused = host.release(evil)
    assert (refused.returncode, refused.stdout) == (1, "::error title=Release::The event names no commit.\n")
    assert not (host.home / "pwned").exists()


@pytest.mark.parametrize("how", ["well", "refused", "unhealthy", "cancelled"])
def test_the_key_is_gone_from_the_runner_however_it_ends(host: Host, tmp_path: Path, how: str) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    env = {"TMPDIR": str(kept)}
    if how == "cancelled":
        sha = host.commit('touch "$HOME/begun"; sleep 20')
        running = subprocess.Popen(host.command(), env=host.env | env | {"SHA": sha}, start_new_session=True)
        wait_for((host.home / "begun").exists)
        assert any(kept.rglob("key"))
        os.killpg(running.pid, signal.SIGTERM)  # as GitHub ends a cancelled step
        assert running.wait(20) != 0
    else:
        sha = host.commit("touch sick" if how == "unhealthy" else "true")
        done = host.release(sha, **env, **({"EC2_KNOWN_HOSTS": "other ssh-ed25519 AAAA"} if how == "refused" else {}))
        assert (done.returncode == 0) is (how == "well")
    assert list(kept.iterdir()) == []


ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


@ROOT
@pytest.mark.parametrize("inodes", [False, True])
def test_a_full_disk_changes_nothing_and_names_what_runs_on(host: Host, inodes: bool) -> None:
    host.small_disk("size=2m,nr_inodes=200")
    begun = 'echo "$SHA" >> "$HOME/started"'
    old, live = host.commit(begun), host.commit(f"{begun} # again")
    assert [host.release(sha).returncode for sha in (old, live)] == [0, 0]
    (host.home / "releases" / ("c" * 40)).mkdir()
    host.fill(inodes=inodes)
    (host.source / "large").write_bytes(os.urandom(100_000))
    for sha in [host.commit(f"{begun} # new"), *([old] if inodes else [])]:
        done = host.release(sha, VERSION="v2")
        assert done.returncode == 1
        assert re.search(rf"No space left on device; .*100% of its {'inodes' if inodes else 'room'}", done.stdout)
        assert live in done.stdout, "what is live is named"
        assert host.live() == live
        assert host.started() == [old, live], "nothing was started"
    assert not list((host.home / "releases").glob(".new-*")), "what was written so far is removed"
    for file in [*host.home.glob("file1*"), *host.home.glob("ballast")]:
        file.unlink()
    assert host.release(old).returncode == 0
    assert host.live() == old


@ROOT
def test_a_rollback_needs_no_room_on_a_full_disk(host: Host) -> None:
    host.small_disk("size=2m")
    old, live = host.commit("true"), host.commit("true # again")
    assert [host.release(sha).returncode for sha in (old, live)] == [0, 0]
    host.fill(inodes=False)
    done = host.release(old)
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.live() == old


@ROOT
def test_a_disk_that_the_new_release_fills_up_leads_back_to_the_one_before(host: Host) -> None:
    host.small_disk("size=2m,nr_inodes=200")
    good = host.commit("true")
    assert host.release(good).returncode == 0
    done = host.release(host.commit('dd if=/dev/zero of=big bs=4096; i=0; while : > "f$i"; do i=$((i+1)); done'))
    assert done.returncode == 1
    assert f"The release before it, {good}, is live again and healthy" in done.stdout
    assert host.live() == good


@pytest.mark.parametrize("kind", ["folder", "file", "releases"])
def test_something_else_in_the_place_of_the_link_is_refused(host: Host, kind: str) -> None:
    if kind == "folder":
        (host.home / "current").mkdir()
        (host.home / "current" / "app").write_text("runs")
    else:
        (host.home / {"file": "current"}.get(kind, kind)).write_text("runs")
    done = host.release(host.commit('touch "$HOME/started"'))
    assert done.returncode == 1
    assert "~/current on the host should be a link and ~/releases a folder" in done.stdout
    assert not (host.home / "started").exists()
    assert kind == "releases" or not (host.home / "current").is_symlink()
    assert kind != "folder" or (host.home / "current" / "app").read_text() == "runs"


def test_a_link_that_another_tool_made_is_put_back_as_it_was(host: Host) -> None:
    """Capistrano's `current` is an absolute link."""
    (host.home / "apps" / "20240601").mkdir(parents=True)
    (host.home / "current").symlink_to(host.home / "apps" / "20240601")
    done = host.release(host.commit("exit 1"))
    assert f"The release before it, {host.home}/apps/20240601, is live again" in done.stdout
    assert host.live() == "20240601"


def test_a_release_that_points_current_elsewhere_is_not_called_live(host: Host) -> None:
    done = host.release(host.commit('ln -sfn "$HOME" "$HOME/current"'))
    assert done.returncode == 1
    assert "something else switched it" in done.stdout


def test_every_file_of_the_commit_is_released_whatever_export_ignore_says(host: Host) -> None:
    (host.source / "docs").mkdir()
    for name, text in {
        ".gitattributes": "/docs export-ignore\n*.cfg export-ignore\nid export-subst\n",
        "docs/page": "a page",
        "app.cfg": "on",
        "id": "$Format:%H$",
    }.items():
        (host.source / name).write_text(text)
    (host.source / "link").symlink_to("app.cfg")
    assert host.release(host.commit("true")).returncode == 0
    current = host.home / "current"
    assert (current / "docs" / "page").read_text() == "a page"
    assert (current / "link").read_text() == "on"
    assert (current / "id").read_text() == "$Format:%H$"
    assert (current / "deploy.sh").stat().st_mode & 0o777 == 0o755
    assert (current / "app.cfg").stat().st_mode & 0o777 == 0o644


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4' * 64}\nsize 12345\n"


@pytest.mark.parametrize("kind", ["lfs", "submodule"])
def test_files_that_the_checkout_does_not_have_are_refused_by_name(host: Host, kind: str) -> None:
    host.commit("true")
    if kind == "lfs":
        (host.source / "media").mkdir()
        (host.source / "media" / "logo.png").write_text(POINTER)
    else:
        host.git("update-index", "--add", "--cacheinfo", f"160000,{'5' * 40},vendor/a lib")
        (host.source / "vendor" / "a lib").mkdir(parents=True)  # as a checkout leaves it
    sha = host.commit()
    done = host.release(sha)
    assert done.returncode == 1
    assert {"lfs": "in Git LFS, whose", "submodule": "submodules, whose"}[kind] in done.stdout
    assert {"lfs": ": media/logo.png.", "submodule": ": vendor/a lib."}[kind] in done.stdout
    assert not (host.home / "releases").exists()
