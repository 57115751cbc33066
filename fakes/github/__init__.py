"""GitHub's fake: the REST API as far as the bot uses it, and a pipeline that its events start.

`GitHub` is the whole of it; `Script` says what a stage does, `Fault` how requests fail.
"""

from fakes.github.faults import Fault
from fakes.github.github import GitHub
from fakes.github.model import Run
from fakes.github.repository import Repository
from fakes.github.script import Script

__all__ = ["Fault", "GitHub", "Repository", "Run", "Script"]
