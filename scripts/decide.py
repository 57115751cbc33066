"""make decide DECISION=approve ID=d-abc234def567 STACK=platform-deploy: the operator's command, in make's words.

The words come through the environment, as they were typed: no shell reads them again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from scripts.operator import Asked, carry_out, mistake

WORDS = {"action": "DECISION", "deployment_id": "ID", "reason": "REASON", "by": "BY", "stack": "STACK"}


def main(env: Mapping[str, str] = os.environ) -> int:
    """Exit status 0 when the decision is recorded, 1 when it is refused, 2 for a mistake in the words."""
    asked = Asked(**{name: env.get(word, "").strip() for name, word in WORDS.items()})
    if wrong := mistake(asked, WORDS):
        print(f"Nothing was recorded: {wrong}.", file=sys.stderr)
        return 2
    return carry_out(asked, WORDS)


if __name__ == "__main__":
    sys.exit(main())
