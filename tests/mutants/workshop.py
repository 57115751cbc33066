"""The folder in which one module is mutated: links to what its tests need, and mutmut's settings.

mutmut names a mutant after its file's path, and finds it again by its module's name. Here, as nowhere in the
repository, the two agree: the package lies in `src/`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SECONDS = 20
"""That a mutant may take beyond what its tests take; many times as long on a machine that does other things, too."""


@dataclass(frozen=True)
class Module:
    """A line of modules.toml: `path` begins in lambdas/shared/chatops/, `tests` in tests/."""

    name: str
    path: str
    tests: tuple[str, ...]

    @property
    def dotted(self) -> str:
        return "chatops." + self.path.removesuffix(".py").replace("/", ".")

    @property
    def source(self) -> Path:
        return Path("src/chatops", self.path)

    @property
    def folder(self) -> Path:
        return ROOT / ".mutants" / self.name

    @property
    def selection(self) -> list[str]:
        return [f"tests/{name}" for name in self.tests]


OPTIONS = ["-o", "pythonpath=src .", "-p", "no:cacheprovider"]


def _links() -> list[str]:
    """What a test may look at: all in the repository's root, but for hidden folders and what is installed."""
    names = sorted(path.name for path in ROOT.iterdir() if not path.name.startswith(".") or path.name == ".github")
    return [name for name in names if name not in ("node_modules", "pyproject.toml")]


def furnish(module: Module) -> None:
    """Make the folder anew."""
    links = _links()
    shutil.rmtree(module.folder, ignore_errors=True)
    (module.folder / "src").mkdir(parents=True)
    (module.folder / "src" / "chatops").symlink_to(ROOT / "lambdas" / "shared" / "chatops")
    for name in links:
        (module.folder / name).symlink_to(ROOT / name)
    settings = {
        "source_paths": ["src/chatops"],
        "only_mutate": [str(module.source)],
        "also_copy": links,
        "pytest_add_cli_args": OPTIONS,
        "pytest_add_cli_args_test_selection": module.selection,
        "do_not_mutate_patterns": [r"logger\.\w+\("],  # what operators read; no decision hangs on it
        "timeout_constant": SECONDS,
        "use_git_change_detection": False,
    }
    written = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    own = (ROOT / "pyproject.toml").read_text()
    (module.folder / "pyproject.toml").write_text(f"{own}\n[tool.mutmut]\n{written}\n")


def mutate_functions(module: Module) -> None:
    """Run mutmut there; its results stay in the folder. Raises SystemExit where it cannot work."""
    log = module.folder / "log"
    with log.open("w") as out:
        done = subprocess.run(
            [sys.executable, HERE / "functions.py", "run", f"{module.dotted}.*"],
            cwd=module.folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    if done.returncode:
        raise SystemExit(f"{log.read_text()[-3000:]}\nmutmut could not work on {module.path}; more in {log}")
