"""The pipeline's shell scripts, with fakes for docker and aws on PATH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.git_folder import commit, git

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    commit(folder, {"deploy.sh": "#!/bin/sh\ntrue\n"})
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
        "GITHUB_RUN_ID": "4711",
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


BUILT = "sha256:" + "b" * 64


_ASKED = 'case "$*" in "image inspect --format {{.Id}}"*) echo ID ;; "image inspect"*) echo linux/arm64 ;; esac'
INSPECTED = _ASKED.replace("echo ID", f"echo {BUILT}")


def fake_docker(tmp_path: Path, repository: str) -> None:
    """`docker inspect` also names a digest in another registry, which is not ours."""
    answers = f'[ "$1" != inspect ] || printf "other@{DIGEST}\\n{repository}@{DIGEST}\\n"'
    command(tmp_path, "docker", f'[ "$1" != login ] || cat >/dev/null; {answers}; {INSPECTED}')


def built(tmp_path: Path, env: dict[str, str]) -> str:
    """The image of build_image.sh, as the workflow hands it to push_image.sh."""
    done = run("build_image.sh", env)
    assert done.returncode == 0, done.stderr
    out = Path(env["GITHUB_OUTPUT"])
    lines = dict(line.split("=", 1) for line in out.read_text().splitlines())
    out.write_text("")
    assert lines.pop("platform") == "linux/arm64"
    (found,) = lines.values()
    return found


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({}, "--file {0}/Dockerfile {0}/."),
        ({"DOCKERFILE": "api/Dockerfile"}, "--file {0}/api/Dockerfile {0}/."),
        ({"DOCKERFILE": "api/a.Dockerfile", "BUILD_CONTEXT": "api"}, "--file {0}/api/a.Dockerfile {0}/api"),
    ],
)
def test_the_dockerfile_and_its_context_may_be_elsewhere(
    tmp_path: Path, source: Path, env: dict[str, str], settings: dict[str, str], asked: str
) -> None:
    (source / "api").mkdir()
    for name in ("Dockerfile", "api/Dockerfile", "api/a.Dockerfile"):
        (source / name).write_text("FROM scratch\n")
    fake_docker(tmp_path, "unused")
    assert built(tmp_path, env | settings) == BUILT
    assert asked.format(source) + "\n" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"DOCKERFILE": "docker/Dockerfile"}, "The commit has no file docker/Dockerfile"),
        ({"BUILD_CONTEXT": "web"}, "The commit has no folder web"),
        ({"DOCKERFILE": "../Dockerfile"}, "../Dockerfile leads out of the commit"),
        ({"BUILD_CONTEXT": "api/.."}, "api/.. leads out of the commit"),
        ({"BUILD_CONTEXT": "/etc"}, "/etc leads out of the commit"),
    ],
)
def test_a_setting_that_names_nothing_in_the_commit_fails_the_build(
    tmp_path: Path, source: Path, env: dict[str, str], settings: dict[str, str], said: str
) -> None:
    (source / "Dockerfile").write_text("FROM scratch\n")
    command(tmp_path, "docker", "exit 1")
    done = run("build_image.sh", env | settings)
    assert done.returncode == 1
    assert f"::error title=Build::{said}" in done.stdout
    assert not (tmp_path / "asked").exists()


def test_an_image_is_built_with_nothing_that_could_push_it(tmp_path: Path, source: Path, env: dict[str, str]) -> None:
    (source / "Dockerfile").write_text("FROM scratch\n")
    fake_docker(tmp_path, "unused")
    command(tmp_path, "aws", "exit 1")
    assert built(tmp_path, env | {"AWS_REGION": "eu-west-1"}) == BUILT
    asked = (tmp_path / "asked").read_text()
    for label in ("version=v1.2.3+build 7", f"revision={'a' * 40}", "source=https://github.com/Acme/checkout-api"):
        assert f"--label org.opencontainers.image.{label} " in asked
    assert [words for words in ("docker login", "docker push", "aws") if words in asked] == []


def test_what_builds_the_image_knows_no_credential_of_the_job(
    tmp_path: Path, source: Path, env: dict[str, str]
) -> None:
    """Its environment while it builds, however the job came to hold them."""
    (source / "Dockerfile").write_text("FROM scratch\n")
    names = "ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY "
    names += "AWS_SESSION_TOKEN BASE_IMAGES_PASSWORD GITHUB_TOKEN"
    command(tmp_path, "docker", f"env >> {tmp_path}/known; {INSPECTED}")
    assert built(tmp_path, env | dict.fromkeys(names.split(), "a-canary")) == BUILT
    assert "VERSION=v1.2.3+build 7" in (tmp_path / "known").read_text()
    assert "a-canary" not in (tmp_path / "known").read_text()


def test_private_base_images_may_be_read_while_the_image_is_built(
    tmp_path: Path, source: Path, env: dict[str, str]
) -> None:
    (source / "Dockerfile").write_text("FROM scratch\n")
    fake_docker(tmp_path, "unused")
    command(tmp_path, "aws", "echo a-password-to-read")
    base = {
        "AWS_REGION": "cn-north-1",
        "AWS_BASE_IMAGES_ROLE_ARN": "arn:aws-cn:iam::210987654321:role/reader",
        "BASE_IMAGES_REGISTRY": "registry.example",
        "BASE_IMAGES_USER": "reader",
        "BASE_IMAGES_PASSWORD": "a-canary-password",
    }
    built(tmp_path, env | base)
    asked = (tmp_path / "asked").read_text()
    ecr = "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn"
    words = [line.partition(" buildx")[0] for line in asked.splitlines() if line.startswith("docker")]
    assert words == [
        f"docker login --username AWS --password-stdin {ecr}",
        "docker login registry.example --username reader --password-stdin",
        "docker",
        f"docker logout {ecr}",
        "docker logout registry.example",
        "docker image inspect --format {{.Id}} chatops-build:" + "a" * 40,
        "docker image inspect --format {{.Os}}/{{.Architecture}} chatops-build:" + "a" * 40,
    ]
    assert "a-canary-password" not in asked


def test_an_image_goes_to_ecr_and_is_known_by_its_digest(tmp_path: Path, source: Path, env: dict[str, str]) -> None:
    repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout-api"
    fake_docker(tmp_path, repository)
    command(tmp_path, "aws", '[ "$1" != sts ] || echo 123456789012')
    done = run("push_image.sh", env | {"AWS_REGION": "eu-west-1", "ECR_REPOSITORY": "", "BUILT": BUILT})
    assert done.returncode == 0, done.stderr
    assert Path(env["GITHUB_OUTPUT"]).read_text() == f"image={repository}@{DIGEST}\n"
    asked = (tmp_path / "asked").read_text()
    assert f"docker tag {BUILT} {repository}:{'a' * 40}-4711\n" in asked
    assert f"docker push {repository}:{'a' * 40}-4711" in asked
    assert f"docker push --quiet {repository}:v1.2.3-build-7" in asked, "a version that is no tag is made one"


def test_a_tag_that_must_not_move_does_not_fail_the_build(tmp_path: Path, env: dict[str, str]) -> None:
    """ECR's immutable tags: the image is known by its digest, and by the run's own tag."""
    repository = "ghcr.io/acme/checkout-api"
    body = f'[ "$1 $2" != "push --quiet" ] || exit 1; [ "$1" != inspect ] || echo {repository}@{DIGEST}'
    command(tmp_path, "docker", body)
    done = run("push_image.sh", env | {"BUILT": BUILT})
    assert done.returncode == 0, done.stderr
    assert Path(env["GITHUB_OUTPUT"]).read_text() == f"image={repository}@{DIGEST}\n"
    assert "::notice title=Push::The tag v1.2.3-build-7 stays where it is" in done.stdout


def test_without_aws_the_image_goes_to_githubs_registry(tmp_path: Path, env: dict[str, str]) -> None:
    fake_docker(tmp_path, "ghcr.io/acme/checkout-api")
    done = run("push_image.sh", env | {"BUILT": BUILT})
    assert Path(env["GITHUB_OUTPUT"]).read_text() == f"image=ghcr.io/acme/checkout-api@{DIGEST}\n", done.stderr
    assert "canary-token" not in (tmp_path / "asked").read_text() + done.stdout + done.stderr


def test_a_registry_that_gives_no_digest_fails_the_build(tmp_path: Path, env: dict[str, str]) -> None:
    command(tmp_path, "docker", "true")
    done = run("push_image.sh", env | {"BUILT": BUILT})
    assert done.returncode != 0
    assert "image=" not in (Path(env["GITHUB_OUTPUT"]).read_text() if Path(env["GITHUB_OUTPUT"]).exists() else "")


SETTINGS = [
    {},
    {"AWS_REGION": "eu-west-1"},
    {"AWS_REGION": "cn-north-1", "ECR_REPOSITORY": "shop/api"},
    {"AWS_REGION": "eu-west-1", "ECR_REPOSITORY": "210987654321.dkr.ecr.us-east-1.amazonaws.com/shop/api"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_is_pushed_is_released_by_the_same_settings_and_nothing_else_is(
    tmp_path: Path, env: dict[str, str], settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import image  # type: ignore[import-not-found, unused-ignore]

    pushed = f'last=$2; [ "$1" != push ] || [ -e {tmp_path}/tag ] || echo "$last" > {tmp_path}/tag'
    command(tmp_path, "docker", f'{pushed}; [ "$1" != inspect ] || sed "s/:a.*/@{DIGEST}/" {tmp_path}/tag')
    command(tmp_path, "aws", '[ "$1" != sts ] || echo 123456789012')
    done = run("push_image.sh", env | settings | {"BUILT": BUILT})
    assert done.returncode == 0, done.stderr + done.stdout
    found = Path(env["GITHUB_OUTPUT"]).read_text().removeprefix("image=").strip()

    def aws(*words: str) -> dict[str, str]:
        assert words == ("sts", "get-caller-identity")
        return {"Account": "123456789012"}

    release = {"GITHUB_REPOSITORY": env["GITHUB_REPOSITORY"], **settings}
    image.compare(release | {"IMAGE": found}, aws)
    image.compare(release, aws)
    repository = found.partition("@")[0]
    others = (f"{repository}-evil", f"evil.example/{repository}", f"{repository}/x", "docker.io/library/nginx")
    mangled = (f"{repository}:latest", f"{repository}@sha256:{'e' * 63}", f"{found}\n", repository, "-")
    for other in (*(f"{each}@{DIGEST}" for each in (*others, f"{repository}:latest")), *mangled):
        with pytest.raises(image.Refused):
            image.compare(release | {"IMAGE": other}, aws)


def test_nothing_in_the_tree_stands_in_for_a_script_or_a_program(
    tmp_path: Path, source: Path, env: dict[str, str]
) -> None:
    """Only what docker itself builds is the repository's own."""
    programs = ("docker", "aws", "git", "python3", "bash")
    for name in (*programs, "runner.py", "image.py", "json.py", "sitecustomize.py", ".bashrc"):
        (source / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/poisoned\nexit 0\n")
        (source / name).chmod(0o755)
    (source / ".git" / "hooks").mkdir(exist_ok=True)
    (source / "Dockerfile").write_text("FROM scratch\n")
    fake_docker(tmp_path, "ghcr.io/acme/checkout-api")
    for script, more in (("build_image.sh", {}), ("push_image.sh", {"BUILT": BUILT})):
        done = subprocess.run(
            ["bash", str(SCRIPTS / script)], env=env | more, capture_output=True, text=True, timeout=60, cwd=source
        )
        assert done.returncode == 0, done.stderr
    stage, sha = ["python3", str(SCRIPTS / "chatops_stage.py"), "source"], git(source, "rev-parse", "HEAD")
    done = subprocess.run(stage, env=env | {"SHA": sha}, cwd=source, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / "poisoned").exists()


def test_without_a_dockerfile_the_commit_is_packed(env: dict[str, str]) -> None:
    done = run("build_image.sh", env)
    assert done.returncode == 0, done.stderr
    archive = Path(Path(env["GITHUB_OUTPUT"]).read_text().removeprefix("archive=").strip())
    assert archive.is_file()


def test_without_a_dockerfile_a_commit_that_a_release_would_refuse_is_refused_before_the_approval(
    source: Path, env: dict[str, str]
) -> None:
    commit(source, {"logo.png": "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"})
    done = run("build_image.sh", env)
    assert done.returncode == 1
    assert "::error title=Archive::The commit has files in Git LFS" in done.stdout
    assert "logo.png" in done.stdout
