"""The embedded run: the whole bot on one machine, with fakes for the external services only."""

import sys
from pathlib import Path

_LAYER = str(Path(__file__).resolve().parents[1] / "lambdas" / "shared")
if _LAYER not in sys.path:  # the functions find it by Lambda's own way; `python -m local.run` has nothing else
    sys.path.append(_LAYER)
