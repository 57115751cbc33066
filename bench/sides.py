"""The two edges as processes: ours from its artefacts, the peer beside the same layer. Nothing else can be imported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import requests
from bench.built import CLIENT, ROOT, TOOLS, Built
from bench.fakes import SIGNING_SECRET, Fake

EXPECTED = {"command": 200, "forged": 401, "stray": 401}
PYTHON = CLIENT
PEER = TOOLS / "bench"
ONCE = ROOT / "bench" / "once.py"

Run = dict[str, Any]


class Sides:
    """`paths`: by side, what its process may import."""

    def __init__(self, built: Built, folder: Path, fake: Fake) -> None:
        self.fake, self._folder = fake, folder
        self.peer = Built(folder / "peer")
        """The peer, as built as ours: with the same layer."""
        peer = self.peer.function("peer")
        peer.mkdir(parents=True)
        (self.peer.folder / "opt").symlink_to(built.layer.parent)
        shutil.copy(ROOT / "bench" / "peer.py", peer / "app.py")
        packages = sysconfig.get_path("purelib", vars={"base": str(PEER)})  # slack_bolt; all else comes from the layer
        shutil.copytree(f"{packages}/slack_bolt", peer / "slack_bolt")
        subprocess.run([PYTHON, "-m", "compileall", "-q", peer], check=True)
        self.paths = {"ours": [built.function("slack"), built.layer], "peer": [peer, built.layer]}

    def command(self, side: str, kind: str, later: int = 0) -> list[str]:
        """One process of one side that gets a request of this kind, then so many more; none for an empty kind."""
        files = []
        for number in range(later + 1) if kind else ():
            file = self._folder / f"{kind}-{number}.json"
            file.write_text(json.dumps(requests.KINDS[kind](SIGNING_SECRET, number)), encoding="utf-8")
            files.append(str(file))
        paths = os.pathsep.join(map(str, self.paths[side]))
        return [str(PYTHON), "-P", "-S", "-s", "-B", str(ONCE), paths, "app", *files]

    def environment(self) -> Mapping[str, str]:
        """Hashes are not drawn by lot, so that instructions can be compared."""
        return {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", **self.fake.environment()}

    def once(self, side: str, kind: str, later: int = 0) -> Run:
        """One process. Raises AssertionError where it does not do what it is measured for."""
        before = self.fake.asked["AWSStepFunctions.StartExecution"]
        command, began = self.command(side, kind, later), time.monotonic()
        done = subprocess.run(command, env=self.environment(), check=True, stdout=subprocess.PIPE, text=True)
        found: Run = json.loads(done.stdout.splitlines()[-1])
        started = self.fake.asked["AWSStepFunctions.StartExecution"] - before
        assert found["status"] == EXPECTED[kind], f"{side} answered {found['status']}"
        assert found["statuses"] in ([], [EXPECTED[kind]]), f"{side} answered {found['statuses']}"
        assert started == (later + 1 if kind == "command" else 0), f"{side} started {started} executions"
        return {**found, "seconds": found["answered_at"] - began}
