"""Checks the rules of the house on Python sources, as text: imports, sizes, docstrings, rescues.

Knows no file: sources come as a mapping of path to text, so the checker is tested on made-up ones.
Every finding is one line, `path:line: what is wrong`.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

#: Room → the rooms it may import besides `errors` and itself. docs/architecture.md draws it.
TABLE: dict[str, frozenset[str]] = {
    room: frozenset(below.split())
    for room, below in {
        "errors": "",
        "protocol": "",
        "serving": "",
        "calling": "",
        "events": "protocol",
        "pipeline": "protocol events",
        "store": "events",
        "settings": "protocol pipeline",
        "dataplane": "protocol serving",
        "sinks": "events store calling",
        "console": "events store serving",
        "proxy": "protocol serving calling events pipeline store console sinks settings dataplane",
        "relay": "protocol settings dataplane serving calling",
        "cloud": "events settings store console serving calling",
        "cli": "protocol serving calling events pipeline store console sinks settings dataplane",
        "__main__": "cli",
        "__init__": "",
    }.items()
}

PROGRAMS = frozenset({"proxy", "relay", "cloud"})
"""`cli` imports these too, but only inside the function that runs one."""

PURE_ROOMS = frozenset({"errors", "protocol", "events", "pipeline"})

PURE_LIBRARIES = frozenset(
    {
        *("abc", "collections", "dataclasses", "enum", "types", "typing"),
        *("bisect", "fnmatch", "functools", "heapq", "itertools", "math", "operator"),
        *("base64", "binascii", "hashlib", "hmac", "struct", "zlib"),
        *("ipaddress", "json", "re", "string", "unicodedata", "urllib.parse"),
        "msgspec",
    }
)
"""All that a pure room may import from outside: nothing here reads a clock, a file, a socket, the
environment or a source of chance. Add a library when that is true of it."""

IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval"})

MODULE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 6

_LAZY_REFERENCE = re.compile(r"mcpr\.(\w+)[\w.]*:\w+")
"""A registry's "module:attribute", which somebody will import later."""


@dataclass(frozen=True)
class Import:
    """One thing imported. top_level: it happens when the module is loaded."""

    line: int
    module: str
    top_level: bool


def room_of(path: str) -> str:
    """The room a file below src/mcpr belongs to: its folder, or its own name."""
    return PurePosixPath(path).parts[0].removesuffix(".py")


def import_violations(sources: Mapping[str, str]) -> list[str]:
    """What the import table forbids. sources: path below src/mcpr → text."""
    return [finding for path, text in sources.items() for finding in _imports_of(path, text)]


def _imports_of(path: str, text: str) -> Iterator[str]:
    room = room_of(path)
    if room not in TABLE:
        yield f"{path}:1: there is no room {room} in the import table"
        return
    for found in _find_imports(path, ast.parse(text)):
        outer, _, rest = found.module.partition(".")
        if outer == "mcpr":
            yield from _inner(path, room, rest.partition(".")[0], found)
        elif room in PURE_ROOMS and not {outer, found.module} & PURE_LIBRARIES:
            yield f"{path}:{found.line}: {room} is pure and may not import {found.module}"
    if room in PURE_ROOMS:
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in IMPURE_CALLS
            ):
                yield f"{path}:{node.lineno}: {room} is pure and may not call {node.func.id}()"


def _inner(path: str, room: str, target: str, found: Import) -> Iterator[str]:
    # `from mcpr import __version__` and `import mcpr` name no room.
    if target not in TABLE or target in {room, "errors", "__init__"} or target in TABLE[room]:
        return
    if room == "cli" and target in PROGRAMS:
        if found.top_level:
            yield f"{path}:{found.line}: cli imports {target} only in the function that runs it"
        return
    yield f"{path}:{found.line}: {room} may not import {target}"


def _find_imports(path: str, tree: ast.Module) -> Iterator[Import]:
    in_functions = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        for module in _modules_named(path, node):
            yield Import(getattr(node, "lineno", 1), module, id(node) not in in_functions)


def _modules_named(path: str, node: ast.AST) -> list[str]:
    """The modules that this node imports, directly or by name."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            start = _absolute(path, level) if level else ""
            origin = ".".join(filter(None, (start, module)))
            # `from mcpr import store` imports a room, `from urllib import parse` a module.
            return [f"{origin}.{alias.name}" for alias in names] if "." not in origin else [origin]
        case ast.Constant(value=str(text)) if found := _LAZY_REFERENCE.fullmatch(text):
            return [f"mcpr.{found[1]}"]
        case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="__import__")):
            match node.args:
                case [ast.Constant(value=str(text)), *_]:
                    return [text]
    return []


def _absolute(path: str, level: int) -> str:
    """The package that `level` dots mean in this file."""
    parts = ("mcpr", *PurePosixPath(path).parts)
    return ".".join(parts[:-level])


def size_violations(sources: Mapping[str, str], exceptions: frozenset[str]) -> list[str]:
    """What is over the budget and not excepted, and exceptions that are no longer needed.

    exceptions: `path` for a module, `path::name` for a function or method.
    """
    over = {key: finding for path, text in sources.items() for key, finding in _too_big(path, text)}
    return [finding for key, finding in over.items() if key not in exceptions] + [
        f"{key}: is within the budget now; take it off the list of exceptions"
        for key in sorted(exceptions - over.keys())
    ]


def _too_big(path: str, text: str) -> Iterator[tuple[str, str]]:
    lines = len(text.splitlines())
    if lines > MODULE_LINES:
        yield path, f"{path}:1: {lines} lines, at most {MODULE_LINES}"
    for name, node in _functions(ast.parse(text)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            finding = f"{path}:{node.lineno}: {name} has {lines} lines, at most {FUNCTION_LINES}"
            yield f"{path}::{name}", finding
        count = _parameter_count(node)
        if count > PARAMETERS:
            finding = f"{path}:{node.lineno}: {name} has {count} parameters, at most {PARAMETERS}"
            yield f"{path}::{name}", finding


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, _Function]]:
    for node in ast.iter_child_nodes(tree):
        name = prefix
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{node.name}."
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            name = f"{prefix}{node.name}."
        yield from _functions(node, name)


def _parameter_count(node: _Function) -> int:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    own = names[:1] in (["self"], ["cls"])
    return len(names) + len(node.args.kwonlyargs) - own


def docstring_violations(sources: Mapping[str, str]) -> list[str]:
    """Public modules that do not say what they are for."""
    return [
        f"{path}:1: does not start with what it is for"
        for path, text in sources.items()
        if (path.endswith("__init__.py") or not PurePosixPath(path).name.startswith("_"))
        and not (ast.get_docstring(ast.parse(text)) or "").strip()
    ]


def rescue_violations(sources: Mapping[str, str], rescues: frozenset[str]) -> list[str]:
    """`except Exception` and broader outside the named rescues, and names that are not needed.

    rescues: `path::function`. A handler that ends with a bare `raise` only cleans up: it may stay.
    """
    broad = {
        f"{path}::{name}": f"{path}:{handler.lineno}: {name} catches everything; catch narrowly"
        for path, text in sources.items()
        for name, handler in _handlers(ast.parse(text), "")
        if _is_broad(handler)
    }
    return [finding for key, finding in broad.items() if key not in rescues] + [
        f"{key}: is no rescue any more; take it off the list"
        for key in sorted(rescues - broad.keys())
    ]


def _handlers(node: ast.AST, name: str) -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Every except clause, with the name of the innermost function around it."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ExceptHandler):
            yield name or "<module>", inner
        if isinstance(inner, _Function | ast.ClassDef):
            yield from _handlers(inner, f"{name}.{inner.name}" if name else inner.name)
        else:
            yield from _handlers(inner, name)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    caught = handler.type
    types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in types
    )
