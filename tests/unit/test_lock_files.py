"""The lock files hold all that is needed, on every Python and processor that is supported, and nothing to guess."""

from __future__ import annotations

import itertools
import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "lambdas" / "shared" / "requirements.txt"
LOCKS = [LAYER, *sorted((ROOT / "requirements").glob("*.txt"))]
PYTHONS, PROCESSORS = ("3.11", "3.12", "3.13"), ("x86_64", "aarch64")


def pins(path: Path) -> dict[str, str]:
    """Package -> version. Fails on a line that pins nothing, or has no hash under it."""
    found = {}
    for block in re.split(r"\n(?=[A-Za-z])", re.sub(r"(?m)^\s*#.*\n?", "", path.read_text()).strip()):
        first, *hashes = block.replace("\\\n", "\n").split("\n")
        name, version = first.strip().split("==")
        assert re.fullmatch(r"[\w.!+]+", version), first
        assert hashes, f"{name} has no hash"
        assert all(re.fullmatch(r"\s*--hash=sha256:[0-9a-f]{64}\s*", each) for each in hashes), name
        found[canonicalize_name(name)] = version
    return found


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_by_hash_and_no_registry_is_named(path: Path) -> None:
    assert pins(path)
    assert "://" not in path.read_text()


def test_a_larger_set_repeats_the_smaller_one() -> None:
    sets = [pins(LAYER), *(pins(ROOT / "requirements" / f"{name}.txt") for name in ("local", "test", "dev"))]
    for smaller, larger in itertools.pairwise(sets):
        assert smaller.items() <= larger.items()


@pytest.mark.parametrize(("python", "processor"), list(itertools.product(PYTHONS, PROCESSORS)))
def test_what_the_packages_need_is_in_the_lock_there_too(python: str, processor: str) -> None:
    """pip installs the locks without resolving, so a package needed on one Python alone must be in them as well."""
    there = {"python_version": python, "python_full_version": f"{python}.1", "platform_machine": processor}
    locked = pins(ROOT / "requirements" / "test.txt")
    missing = []
    for name in locked:
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker and not needed.marker.evaluate({**there, "extra": ""}):
                continue
            version = locked.get(canonicalize_name(needed.name))
            if version is None or not needed.specifier.contains(version, prereleases=True):
                missing.append(f"{name} needs {needed}")
    assert not missing
