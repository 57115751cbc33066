"""What `sam build` makes, for this machine: by the same lambdas/Makefile, laid as Lambda lays it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".venv-tools"
PIP = TOOLS / "sam" / "bin" / "python"
"""A Python with pip, as `sam build` needs one; it also decides which Python the bytecode is for."""
CLIENT = TOOLS / "lambda" / "bin" / "python"
"""A Python that has nothing but Lambda's own runtime client."""
FUNCTIONS = tuple(sorted(path.parent.name for path in ROOT.glob("lambdas/*/app.py")))


def missing() -> str:
    """What has to be installed first, if anything."""
    lacking = [str(one.relative_to(ROOT)) for one in (PIP, CLIENT) if not one.exists()]
    return f"{' and '.join(lacking)}: make .venv-tools/sam/installed.stamp .venv-tools/lambda/installed.stamp" * bool(
        lacking
    )


@dataclass(frozen=True)
class Built:
    """`folder` holds `opt` (the layer) and `var/<function>` (each function's folder)."""

    folder: Path

    @property
    def layer(self) -> Path:
        """On Lambda: /opt/python."""
        return self.folder / "opt" / "python"

    def function(self, name: str) -> Path:
        """On Lambda: /var/task."""
        return self.folder / "var" / name


def build(folder: Path) -> Built:
    """Into an empty folder. Raises subprocess.CalledProcessError, with what make said on standard error."""
    made = Built(folder)
    _make("SharedLayer", ROOT / "lambdas" / "shared", folder / "opt")
    for name in FUNCTIONS:
        _make(f"{name.title()}Function", ROOT / "lambdas" / name, made.function(name))
    return made


def _make(resource: str, source: Path, artefacts: Path) -> None:
    artefacts.mkdir(parents=True)
    command = ["make", "--silent", "--makefile", str(ROOT / "lambdas" / "Makefile"), f"build-{resource}"]
    mine = {"ARTIFACTS_DIR": str(artefacts), "BUILD_PYTHON": str(PIP), "BUILD_ARCHITECTURE": platform.machine()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE"))}
    subprocess.run(command, cwd=source, env={**kept, **mine}, check=True, stdout=subprocess.DEVNULL)
