"""No test sees the targets of the installation in whose repository it runs: they come with it where it is deployed from
(`deploy-lambda.yml` runs the tests there), and a test has its own."""

from __future__ import annotations

from pathlib import Path

from chatops import targets

targets.PACKED = Path(__file__).parent / "nowhere" / "targets.yaml"
