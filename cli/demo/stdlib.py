"""Reader of the running Python's standard library documentation, as JSON lines on stdout.

Run the file by its path, as a separate process: it imports some three hundred modules, which have
side effects. The reader skips modules that this Python cannot import.
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

# Toys, tests, programs, and aliases of public modules.
LEFT_OUT = frozenset(
    (
        *("antigravity", "this", "turtledemo"),
        *("test", "tests", "idlelib", "lib2to3", "distutils", "ensurepip", "venv", "pydoc_data"),
        *("encodings", "posix", "nt", "posixpath", "ntpath", "genericpath", "nturl2path"),
    )
)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# Types whose defaults are shown. The repr of others may vary between runs, or reveal this
# process's environment.
_PLAIN = (bool, bytes, float, int, str, type(None), type)
_MIN_WORDS = 3


class _Something:
    def __repr__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class Entry:
    """The documentation of one public name."""

    module: str
    kind: Kind
    name: str
    """Qualified name, as for an import."""
    signature: str
    """Signature such as `(a, b=None)`; empty if unknown."""
    doc: str


def entries() -> Iterator[Entry]:
    """Yield all public names with a docstring, module by module; an object with two names occurs
    once.
    """
    seen: dict[int, object] = {}  # keep the objects, or a later one might get the same id
    names: set[str] = set()  # `unittest.main` is both a function and a module
    for module in _modules():
        for name, value in _public(module):
            if id(value) not in seen:
                seen[id(value)] = value
                for entry in _entries(module.__name__, name, value):
                    if entry.name not in names:
                        names.add(entry.name)
                        yield entry


def _modules() -> Iterator[ModuleType]:
    """Yield the public modules that can be imported, packages before their modules."""
    names = sorted(name for name in sys.stdlib_module_names if _is_public(name))
    while names:
        name = names.pop(0)
        # An import runs arbitrary code, so it can raise anything.
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
    """Yield the module itself, then the names in `__all__`, or those defined without underscore."""
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
        yield from _entry_of(module, "module", module, value)
    elif inspect.isclass(value):
        yield from _entry_of(module, "class", name, value)
        for own, member in sorted(vars(value).items()):
            if not own.startswith("_") and _is_method(member):
                yield from _entry_of(module, "method", f"{name}.{own}", getattr(value, own))
    elif inspect.isroutine(value):
        yield from _entry_of(module, "function", name, value)


def _is_method(member: object) -> bool:
    return inspect.isroutine(member) or isinstance(member, classmethod | staticmethod)


def _entry_of(module: str, kind: Kind, name: str, value: object) -> Iterator[Entry]:
    doc = getattr(value, "__doc__", None)
    if isinstance(doc, str) and len(doc.split()) >= _MIN_WORDS:
        yield Entry(module, kind, name, _signature(value), _clean(doc))


def _signature(value: object) -> str:
    if not callable(value):
        return ""
    # Functions written in C often have no signature, and some raise other errors.
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
    """Write the entries; discard the output of imported modules."""
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
