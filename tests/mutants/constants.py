"""What mutmut leaves alone: constants, defaults of classes, decorated functions. mutmut's operators make the mutants;
each has a process of its own, which imports the mutated module in place of the real one."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import libcst as cst
from mutant import Mutant, change
from mutmut.mutation.mutators import mutation_operators
from workshop import OPTIONS, SECONDS, Module

HEAVY = ("pytest", "boto3", "moto.dynamodb.models", "requests", "hypothesis", "werkzeug.test", "jsonschema", "yaml")


class Outside(cst.CSTTransformer):
    """Finds what is evaluated when the module is imported, and what a decorator hides from mutmut."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and not node.decorators:
            return False
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(node, other) for other in operator(node)]
        return True

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        return original_node


def mutations(source: str) -> Iterator[str]:
    """The module's text with one change outside of functions, again and again."""
    tree = cst.parse_module(source)
    visitor = Outside()
    tree.visit(visitor)
    for node, other in visitor.found:
        yield tree.deep_replace(node, other).code  # type: ignore[arg-type]


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports this text as the module of that name."""

    def __init__(self, module: Module, text: str) -> None:
        self.module, self.text = module, text

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.module.dotted:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(self.module.source))

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.text, str(self.module.source), "exec"), module.__dict__)  # noqa: S102 - our own module


def _fate(module: Module, text: str) -> str:
    """In a process of its own: what the tests say."""
    import pytest

    def late(*_: object) -> None:
        os._exit(9)

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS * 15)
    sys.meta_path.insert(0, Instead(module, text))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = pytest.main(["-x", "-q", "--tb=no", "--rootdir=.", *OPTIONS, *module.selection])
    return {0: "survived", 1: "killed", 2: "killed", 3: "killed"}.get(int(code), f"pytest's exit code {int(code)}")


def outside_functions(module: Module, workers: int) -> list[Mutant]:
    """The mutants and their fates, in the module's workshop, which is the folder we are in."""
    for name in HEAVY:
        importlib.import_module(name)
    source = module.source.read_text()
    texts = list(mutations(source))
    with multiprocessing.get_context("fork").Pool(workers, maxtasksperchild=1) as pool:
        if pool.apply(_fate, (module, source)) != "survived":
            raise SystemExit(f"the tests of {module.path} fail without any change")
        fates = pool.starmap(_fate, [(module, text) for text in texts], chunksize=1)
    return [Mutant(module.path, "", *change(source, text), fate) for text, fate in zip(texts, fates, strict=True)]
