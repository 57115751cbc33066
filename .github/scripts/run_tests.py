"""Runs the tests of the repository in $SOURCE the way it does itself: `make test`, else its package manager's test
script, else pytest. Leaves `tests=none` in $GITHUB_OUTPUT where it finds none; a file that cannot be read is an error.

The job has no environment, no secret and no right to an OIDC token. Where somebody calls this from a job that has, what
the repository runs gets no way to ask for the token. Run it isolated (python3 -I): nothing is imported from the tree.
"""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from runner import Refused, error, outputs

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""As make looks for them: https://www.gnu.org/software/make/manual/html_node/Makefile-Names.html"""
NO_TESTS = 5
"""pytest's exit status where it has collected none: https://docs.pytest.org/en/stable/reference/exit-codes.html"""
_TOKEN = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")

Command = tuple[str, ...]


def has_make_test(folder: Path) -> bool:
    """Whether make itself has a rule for `test`, also among several targets or in an included file. Raises Refused."""
    if not any((folder / name).is_file() for name in MAKEFILES):
        return False
    # Its database, while it builds a target that nobody has: `:`.
    read = subprocess.run(["make", "-pRrq", ":"], cwd=folder, capture_output=True, text=True, check=False)
    if wrong := [
        line for line in read.stderr.splitlines() if "*** " in line and "No rule to make target ':'" not in line
    ]:
        raise Refused(f"make cannot read the Makefile: {wrong[0][:300]}")
    blocks = (block.splitlines() for block in read.stdout.split("\n\n"))
    return any(_is_rule(block) for block in blocks if block and block[0].startswith("test:"))


def _is_rule(block: list[str]) -> bool:
    """Not for a target that is only named, as by `.PHONY: test`: it has neither prerequisites nor a recipe."""
    return bool(block[0].partition(":")[2].strip(": ")) or any("recipe to execute" in line for line in block)


def package_script(folder: Path) -> list[Command]:
    """The commands that install what package.json needs, as its lock file has it, and run its tests; none where it has
    no tests. npm itself writes a test script that only fails. Raises Refused."""
    if not (folder / "package.json").is_file():
        return []
    package = _read(folder / "package.json", json.loads)
    scripts = package.get("scripts") if isinstance(package, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or not script.strip() or "no test specified" in script:
        return []
    # corepack takes the version that package.json names: https://github.com/nodejs/corepack
    corepack = ("npx", "--yes", "corepack")
    if (folder / "pnpm-lock.yaml").is_file():
        return [(*corepack, "pnpm", "install", "--frozen-lockfile"), (*corepack, "pnpm", "test")]
    if (folder / "yarn.lock").is_file():
        classic = "# yarn lockfile v1" in _read(folder / "yarn.lock", str)
        frozen = "--frozen-lockfile" if classic else "--immutable"
        return [(*corepack, "yarn", "install", frozen), (*corepack, "yarn", "test")]
    if (folder / "bun.lock").is_file() or (folder / "bun.lockb").is_file():
        bun = ("npx", "--yes", "bun")
        return [(*bun, "install", "--frozen-lockfile"), (*bun, "run", "test")]
    locked = (folder / "package-lock.json").is_file() or (folder / "npm-shrinkwrap.json").is_file()
    return [("npm", "ci" if locked else "install"), ("npm", "test")]


def has_pytest(folder: Path) -> bool:
    """Whether there are tests that pytest would find: its settings, or files with its names. Raises Refused."""
    if (folder / "pytest.ini").is_file() or (folder / "conftest.py").is_file():
        return True
    if (folder / "pyproject.toml").is_file():
        tool = _read(folder / "pyproject.toml", tomllib.loads).get("tool", {})
        if "pytest" in tool:
            return True
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if (folder / name).is_file() and _read(folder / name, _ini).has_section(section):
            return True
    return any(_test_files(folder))


def _test_files(folder: Path) -> Iterator[str]:
    """https://docs.pytest.org/en/stable/explanation/goodpractices.html#test-discovery"""
    listed = subprocess.run(["git", "-C", str(folder), "ls-files", "-z", "*.py"], capture_output=True, check=True)
    for path in listed.stdout.decode("utf-8", "surrogateescape").split("\0"):
        name = path.rpartition("/")[2]
        if name.startswith("test_") or name.endswith("_test.py"):
            yield path


def pytest(folder: Path, temporary: Path) -> Iterator[Command]:
    """The commands that install what the tests need, and run them."""
    python = str(temporary / "tests" / "bin" / "python")
    pip = (python, "-m", "pip", "install", "--quiet")
    yield (sys.executable, "-m", "venv", str(temporary / "tests"))
    yield (*pip, "pytest")
    for requirements in ("requirements.txt", "requirements-dev.txt"):
        if (folder / requirements).is_file():
            yield (*pip, "-r", requirements)
    if (folder / "pyproject.toml").is_file() and "build-system" in _read(folder / "pyproject.toml", tomllib.loads):
        yield (*pip, ".")
    yield (python, "-m", "pytest")


def _ini(text: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(text)
    return found


def _read(path: Path, parsed: Any) -> Any:
    try:
        return parsed(path.read_text("utf-8-sig"))  # package managers take a byte order mark, too
    except (ValueError, RecursionError, configparser.Error, OSError) as trouble:
        raise Refused(f"{path.name} cannot be read, so whether it has tests is not known: {trouble}") from None


def commands(folder: Path, temporary: Path) -> list[Command]:
    """What runs the tests; empty where there are none. Raises Refused."""
    if has_make_test(folder):
        return [("make", "test")]
    return package_script(folder) or (list(pytest(folder, temporary)) if has_pytest(folder) else [])


def main(env: Mapping[str, str]) -> int:
    """The exit status. Raises Refused for what cannot be read."""
    folder = Path(env["SOURCE"])
    kept = {name: value for name, value in env.items() if name not in _TOKEN} | {"COREPACK_ENABLE_DOWNLOAD_PROMPT": "0"}
    found = commands(folder, Path(env["RUNNER_TEMP"]))
    for command in found:
        print(f"Tests: {' '.join(command)}", flush=True)
        status = subprocess.run(command, cwd=folder, env=kept, check=False).returncode
        if status == NO_TESTS and command[-1] == "pytest":
            found = []
        elif status:
            return status
    if not found:
        outputs({"tests": "none"})
        print("::warning title=No tests::Neither a make rule `test`, nor a test script, nor pytest tests were found.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except Refused as refused:
        print(error("Tests", str(refused)))
        sys.exit(1)
