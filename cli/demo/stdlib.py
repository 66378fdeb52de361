"""Reads the documentation of the running Python's standard library, as JSON lines on stdout.

Run it as a process of its own, by its path: importing some three hundred modules is nothing to
do inside a program that goes on living. A module that can't be imported here, since what it
needs was not built in, is left out.
"""

import contextlib
import importlib
import inspect
import json
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Literal

Kind = Literal["module", "class", "function", "method"]

# Toys, tests, programs, and what stands for the public module of another name.
LEFT_OUT = frozenset(
    (
        *("antigravity", "this", "turtledemo"),
        *("test", "tests", "idlelib", "lib2to3", "distutils", "ensurepip", "venv", "pydoc_data"),
        *("encodings", "posix", "nt", "posixpath", "ntpath", "genericpath", "nturl2path"),
    )
)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# Defaults that are shown as they are. The repr of others may differ from run to run, or tell
# what is in this process's environment.
_PLAIN = (bool, bytes, float, int, str, type(None), type)
_MIN_WORDS = 3


class _Something:
    def __repr__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class Entry:
    """What one public name has to say."""

    module: str
    kind: Kind
    name: str
    """Qualified, as one would import it."""
    signature: str
    """As in `(a, b=None)`; empty where there is none to be known."""
    doc: str


def entries() -> Iterator[Entry]:
    """All public names with a docstring, module by module; what has two names comes once."""
    seen: dict[int, object] = {}  # the objects too, or a later one might have the same id
    names: set[str] = set()  # `unittest.main` is a function, and the module it is from
    for module in _modules():
        for name, value in _public(module):
            if id(value) not in seen:
                seen[id(value)] = value
                for entry in _entries(module.__name__, name, value):
                    if entry.name not in names:
                        names.add(entry.name)
                        yield entry


def _modules() -> Iterator[ModuleType]:
    """The public modules that can be imported, packages before what is in them."""
    names = sorted(name for name in sys.stdlib_module_names if _is_public(name))
    while names:
        name = names.pop(0)
        # A module's import may do anything, so it may fail in any way.
        with contextlib.suppress(Exception, SystemExit):
            module = importlib.import_module(name)
            names += [
                f"{name}.{inner.name}"
                for inner in pkgutil.iter_modules(getattr(module, "__path__", ()))
                if _is_public(inner.name)
            ]
            yield module


def _is_public(name: str) -> bool:
    return not name.startswith("_") and name not in LEFT_OUT


def _public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The module itself, and what `__all__` names, or what is defined here without underscore."""
    yield "", module
    if hasattr(module, "__all__"):
        names = list(module.__all__)
    else:
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
    for name in sorted(names):
        yield name, getattr(module, name, None)


def _entries(module: str, attribute: str, value: object) -> Iterator[Entry]:
    name = f"{module}.{attribute}"
    if value is sys.modules[module]:
        yield from _documented(module, "module", module, value)
    elif inspect.isclass(value):
        yield from _documented(module, "class", name, value)
        for own, member in sorted(vars(value).items()):
            if not own.startswith("_") and _is_method(member):
                yield from _documented(module, "method", f"{name}.{own}", getattr(value, own))
    elif inspect.isroutine(value):
        yield from _documented(module, "function", name, value)


def _is_method(member: object) -> bool:
    return inspect.isroutine(member) or isinstance(member, classmethod | staticmethod)


def _documented(module: str, kind: Kind, name: str, value: object) -> Iterator[Entry]:
    doc = getattr(value, "__doc__", None)
    if isinstance(doc, str) and len(doc.split()) >= _MIN_WORDS:
        yield Entry(module, kind, name, _signature(value), _clean(doc))


def _signature(value: object) -> str:
    if not callable(value):
        return ""
    # Not known, as of many a function written in C; some of those fail in ways of their own.
    with contextlib.suppress(Exception):
        signature = inspect.signature(value)
        plain = [_plain(parameter) for parameter in signature.parameters.values()]
        return str(signature.replace(parameters=plain))
    return ""


def _plain(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if default is inspect.Parameter.empty or type(default) in _PLAIN:
        return parameter
    return parameter.replace(default=_Something())


def _clean(doc: str) -> str:
    return _ADDRESS.sub("", inspect.cleandoc(doc)).strip()


def main() -> None:
    """Writes the entries, and nothing that a module prints when it is imported."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    warnings.simplefilter("ignore")
    with output:
        for entry in entries():
            output.write(json.dumps(asdict(entry)) + "\n")


if __name__ == "__main__":
    main()
