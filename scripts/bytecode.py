"""Whether what `sam build` made holds the bytecode of all its modules: `python3.11 -m scripts.bytecode .aws-sam/build`.

https://peps.python.org/pep-0552/ (the header's flags), https://docs.python.org/3/library/py_compile.html
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

LAYER, FUNCTION = "/opt/python/", "/var/task/"
_HEADER, _UNCHECKED = 16, b"\x01\x00\x00\x00"


def problems(folder: Path, place: str) -> list[str]:
    """What is wrong with a layer's or a function's folder, which is at `place` on Lambda, a line each."""
    return [
        f"{source.relative_to(folder)}: {wrong}"
        for source in sorted(folder.rglob("*.py"))
        if (wrong := _wrong(source, f"{place}{source.relative_to(folder)}"))
    ]


def _wrong(source: Path, place: str) -> str:
    made = Path(importlib.util.cache_from_source(str(source)))
    if not made.is_file():
        return "no bytecode"
    found = made.read_bytes()
    if found[:4] != importlib.util.MAGIC_NUMBER:
        return "bytecode of another Python"
    if found[4:8] != _UNCHECKED:
        return "bytecode that depends on the file's time, or is checked at each start"
    if found[8:_HEADER] != importlib.util.source_hash(source.read_bytes()):
        return "bytecode of another source"
    names = set(_names(marshal.loads(found[_HEADER:])))  # noqa: S302 - what this build has just made
    return "" if names == {place} else f"it says that it is {', '.join(sorted(names - {place}))}"


def _names(code: CodeType) -> Iterator[str]:
    yield code.co_filename
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def main(build: Path) -> int:
    """Exit status 1 where something is wrong."""
    folders = [one for one in sorted(build.iterdir()) if one.is_dir()]
    found = []
    for one in folders:
        layer = (one / "python").is_dir()
        inner = one / "python" if layer else one
        found += [f"{one.name}/{line}" for line in problems(inner, LAYER if layer else FUNCTION)]
    print("\n".join(found[:20]) if found else f"bytecode: all modules of {len(folders)} folders")
    return 1 if found or not folders else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
