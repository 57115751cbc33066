"""GitHub's stand-in: the REST API as far as the bot uses it, and a pipeline that its events start.

`GitHub` is the whole of it; `Script` says what a stage does, `Fault` how requests fail.
"""

from local.github.faults import Fault
from local.github.github import GitHub
from local.github.model import Run
from local.github.repository import Repository
from local.github.script import Script

__all__ = ["Fault", "GitHub", "Repository", "Run", "Script"]
