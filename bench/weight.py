"""How large an archive of the layer is, as it is uploaded."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def zipped_mb(folder: Path) -> float:
    """Megabytes (10^6 bytes) of a zip of everything in the folder."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return len(made.getvalue()) / 1e6
