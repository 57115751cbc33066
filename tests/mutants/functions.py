"""mutmut with one operator more, as a command of its own: `functions.py run`, in a workshop."""

from __future__ import annotations

import expressions
import libcst as cst
from mutmut.__main__ import cli
from mutmut.mutation.mutators import mutation_operators

mutation_operators.append((cst.SimpleString, expressions.mutated))  # type: ignore[attr-defined]
cli()
