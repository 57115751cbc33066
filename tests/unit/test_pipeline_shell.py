"""The pipeline's shell scripts, with fakes for docker, aws and ssh on PATH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "deploy.sh").write_text('#!/bin/sh\necho "$VERSION|$SHA|$IMAGE" > "$HOME/deployed"\n')
    (folder / "deploy.sh").chmod(0o755)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    return folder


@pytest.fixture
def env(tmp_path: Path, source: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_REPOSITORY": "Acme/checkout-api",
        "GITHUB_ACTOR": "dana",
        "GITHUB_TOKEN": "canary-token",
        "SOURCE": str(source),
        "SHA": "a" * 40,
        "VERSION": "v1.2.3+build 7",
        "RUN_ID": "4711",
        "GITHUB_SERVER_URL": "https://github.com",
    }


def command(tmp_path: Path, name: str, body: str) -> None:
    file = tmp_path / "bin" / name
    file.write_text(f'#!/usr/bin/env bash\necho "{name} $*" >> "{tmp_path}/asked"\n{body}\n')
    file.chmod(0o755)


def run(script: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPTS / script)], env=env, capture_output=True, text=True, timeout=60, cwd=env["HOME"]
    )


def fake_docker(tmp_path: Path, repository: str) -> None:
    """`docker inspect` also names a digest in another registry, which is not ours."""
    command(tmp_path, "docker", f'[ "$1" != inspect ] || printf "other@{DIGEST}\\n{repository}@{DIGEST}\\n"')


def test_an_image_goes_to_ecr_and_is_known_by_its_digest(tmp_path: Path, source: Path, env: dict[str, str]) -> None:
    (source / "Dockerfile").write_text("FROM scratch\n")
    repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout-api"
    fake_docker(tmp_path, repository)
    command(tmp_path, "aws", '[ "$1" != sts ] || echo 123456789012')
    done = run("build_image.sh", env | {"AWS_REGION": "eu-west-1", "ECR_REPOSITORY": ""})
    assert done.returncode == 0, done.stderr
    assert Path(env["GITHUB_OUTPUT"]).read_text() == f"image={repository}@{DIGEST}\n"
    asked = (tmp_path / "asked").read_text()
    assert f"docker push {repository}:{'a' * 40}-4711" in asked
    for label in (
        "version=v1.2.3+build 7",
        f"revision={'a' * 40}",
        "source=https://github.com/Acme/checkout-api",
    ):
        assert f"--label org.opencontainers.image.{label} " in asked
    assert f"docker push --quiet {repository}:v1.2.3-build-7" in asked, "a version that is no tag is made one"


def test_a_tag_that_must_not_move_does_not_fail_the_build(tmp_path: Path, source: Path, env: dict[str, str]) -> None:
    """ECR's immutable tags: the image is known by its digest, and by the run's own tag."""
    (source / "Dockerfile").write_text("FROM scratch\n")
    repository = "ghcr.io/acme/checkout-api"
    body = f'[ "$1 $2" != "push --quiet" ] || exit 1; [ "$1" != inspect ] || echo {repository}@{DIGEST}'
    command(tmp_path, "docker", body)
    done = run("build_image.sh", env)
    assert done.returncode == 0, done.stderr
    assert Path(env["GITHUB_OUTPUT"]).read_text() == f"image={repository}@{DIGEST}\n"
    assert "::notice title=Build::The tag v1.2.3-build-7 stays where it is" in done.stdout


def test_without_aws_the_image_goes_to_githubs_registry(tmp_path: Path, source: Path, env: dict[str, str]) -> None:
    (source / "Dockerfile").write_text("FROM scratch\n")
    fake_docker(tmp_path, "ghcr.io/acme/checkout-api")
    done = run("build_image.sh", env)
    assert Path(env["GITHUB_OUTPUT"]).read_text() == f"image=ghcr.io/acme/checkout-api@{DIGEST}\n", done.stderr
    assert "canary-token" not in (tmp_path / "asked").read_text() + done.stdout + done.stderr


def test_a_registry_that_gives_no_digest_fails_the_build(tmp_path: Path, source: Path, env: dict[str, str]) -> None:
    (source / "Dockerfile").write_text("FROM scratch\n")
    command(tmp_path, "docker", "true")
    done = run("build_image.sh", env)
    assert done.returncode != 0
    assert "image=" not in (Path(env["GITHUB_OUTPUT"]).read_text() if Path(env["GITHUB_OUTPUT"]).exists() else "")


def test_without_a_dockerfile_the_commit_is_packed(env: dict[str, str]) -> None:
    done = run("build_image.sh", env)
    assert done.returncode == 0, done.stderr
    archive = Path(Path(env["GITHUB_OUTPUT"]).read_text().removeprefix("archive=").strip())
    assert archive.is_file()


@pytest.mark.parametrize(
    ("files", "used"),
    [
        ({"Makefile": "test:\n\t@echo from make\n"}, "from make"),
        ({"Makefile": "tests:\n\t@echo no\n", "package.json": '{"scripts": {"test": "x"}}'}, "npm test"),
        ({"package.json": '{"name": "no-tests"}'}, "No tests"),
    ],
)
def test_tests_run_as_the_repository_runs_them(
    tmp_path: Path, source: Path, env: dict[str, str], files: dict[str, str], used: str
) -> None:
    for name, text in files.items():
        (source / name).write_text(text)
    command(tmp_path, "npm", "true")
    done = run("run_tests.sh", env)
    assert done.returncode == 0, done.stderr
    assert used in done.stdout


def test_a_failing_test_fails_the_step(source: Path, env: dict[str, str]) -> None:
    (source / "Makefile").write_text("test:\n\t@false\n")
    assert run("run_tests.sh", env).returncode != 0


def test_what_the_repository_runs_cannot_ask_github_who_it_is(source: Path, env: dict[str, str]) -> None:
    """The job may have a token made that AWS's role trusts: that is for the steps after the tests."""
    (source / "Makefile").write_text("test:\n\t@env\n")
    given = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x.example", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "an-id-token"}
    done = run("run_tests.sh", env | given | {"GITHUB_SHA": "still-there"})
    assert "still-there" in done.stdout
    assert "ACTIONS_ID_TOKEN" not in done.stdout
    assert "an-id-token" not in done.stdout
