"""The architecture as data: who may import whom, where Twisted may live, and how large a piece may grow.

Every rule is a table or a number at the head of this module; the checks below only read source text, so that a module
which cannot even be imported is judged too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
from twisted.trial import unittest

PACKAGE: Final = "seaweedvol"
ROOT: Final = Path(__file__).resolve().parent.parent / PACKAGE

MODULE_LINES: Final = 350
FUNCTION_LINES: Final = 60

NOTHING: Final[tuple[str, ...]] = ()
ERRORS_AND_IDS: Final = ("storage.errors", "storage.ids")
CORE: Final = ("storage", "ec", "store")
SIDE_LIBRARIES: Final = ("security", "images", "metrics", "tier", "config", "query")
VALUES: Final = ERRORS_AND_IDS + ("storage.format",)
DRAFTS_AND_PAGES: Final = ("storage.volume.writing", "storage.volume.reading")
AT_HAND: Final = ("storage.volume.batching", "storage.volume.glancing", "storage.volume.opening")
# In web leftwards. What moves bytes (lane, connection) knows nothing of what they mean for needles, nor this of that.
MEANING: Final = ("web.syntax", "web.message", "web.contents", "web.uploads")
REPORTS: Final = ("store.report", "store.shardreport", "store.events")
EVERYTHING: Final = ("",)


@attrs.frozen
class Row:
    """One row of the layer table: a package or module, its layer, and what of ours it may import beside itself."""

    name: str
    layer: int
    imports: tuple[str, ...]


# The longest matching name wins. Imports within a row's own package are always allowed.
LAYERS: Final = (
    Row("", 0, NOTHING),
    Row("pb", 0, NOTHING),
    # layer 1: within storage only leftwards
    Row("storage", 1, NOTHING),
    Row("storage.errors", 1, NOTHING),
    Row("storage.ids", 1, ("storage.errors",)),
    Row("storage.failpoints", 1, NOTHING),
    Row("storage.memory", 1, NOTHING),
    Row("storage.tallies", 1, NOTHING),
    Row("storage.format", 1, ERRORS_AND_IDS),
    Row("storage.format.volumeinfo", 1, ERRORS_AND_IDS + ("storage.format", "pb")),
    Row("storage.format.state", 1, ERRORS_AND_IDS + ("storage.format", "pb")),
    Row("storage.backend", 1, VALUES + ("storage.failpoints", "storage.tallies")),
    Row("storage.needlemap", 1, VALUES + ("storage.failpoints", "storage.memory", "storage.backend")),
    Row("storage.volume", 1, VALUES + (
        "storage.failpoints", "storage.tallies", "storage.backend", "storage.needlemap")),
    Row("ec", 1, ("storage",)),
    Row("ec.sidecar", 1, ("storage", "ec", "pb")),
    # layer 2
    Row("store", 2, ("storage", "ec")),
    Row("security", 2, ERRORS_AND_IDS),
    Row("images", 2, ERRORS_AND_IDS),
    Row("metrics", 2, ERRORS_AND_IDS),
    Row("tier", 2, ERRORS_AND_IDS + ("storage.backend",)),
    Row("config", 2, ERRORS_AND_IDS),
    Row("deflate", 2, NOTHING),
    Row("query", 2, NOTHING),
    Row("logs.asking", 2, NOTHING),
    Row("profiling", 2, ("pb",)),
    # layer 3
    Row("server", 3, CORE + SIDE_LIBRARIES + ("pb", "logs.asking")),
    Row("tls", 3, ("config", "security") + ERRORS_AND_IDS),
    # layer 4: adapters hand values of the core on, but work on it only through server
    Row("web", 4, ("server", "images", "deflate", "config", "metrics", "security", "tls", "logs.asking", "profiling")
        + VALUES + DRAFTS_AND_PAGES + AT_HAND),
    Row("web.threads", 4, NOTHING),
    Row("web.syntax", 4, ERRORS_AND_IDS),
    Row("web.message", 4, ("web.syntax", "security") + ERRORS_AND_IDS),
    Row("web.contents", 4, ("web.syntax", "web.message", "images") + VALUES),
    Row("web.uploads", 4, ("web.syntax", "web.message", "web.contents", "server", "config", "deflate")
        + VALUES + DRAFTS_AND_PAGES),
    Row("web.lane", 4, ("web.threads", "security", "tls") + VALUES),
    Row("web.connection", 4, ("web.syntax", "web.message", "web.lane", "web.threads", "server", "logs.asking")
        + VALUES),
    Row("web.express", 4, MEANING + ("web.lane.pump", "web.connection.side", "web.threads", "server", "metrics",
                                     "security") + VALUES + AT_HAND),
    Row("web.pages", 4, ("web.syntax", "web.message", "web.contents", "web.threads", "server", "metrics", "profiling")
        + VALUES),
    Row("web.ui", 4, ("web.message", "web.pages", "server", "metrics") + VALUES),
    Row("web.general", 4, MEANING + ("web.connection", "web.pages", "web.ui", "web.threads", "server", "metrics", "tls",
                                     "profiling") + VALUES + DRAFTS_AND_PAGES),
    Row("rpc", 4, ("server", "config", "metrics", "security", "tls", "pb", "logs.asking") + VALUES),
    Row("cluster", 4, ("server", "config", "metrics", "security", "tls", "pb") + REPORTS + VALUES),
    Row("master", 4, ("config", "metrics", "security", "tls", "pb") + VALUES),
    Row("disks", 4, ("store", "config", "metrics") + ERRORS_AND_IDS),
    Row("logs", 4, ("config",)),
    # layer 5
    Row("checks", 5, EVERYTHING),
    Row("life", 5, EVERYTHING),
    Row("running", 5, EVERYTHING),
    Row("tap", 5, EVERYTHING),
    Row("cli", 5, EVERYTHING),
    Row("tools", 5, EVERYTHING),
)

_TWISTED_WEB: Final = ("web.lane", "web.connection", "web.express", "web.pages", "web.ui", "web.general", "web.sites",
                       "web.poolservice", "web.threads")
_ADAPTERS: Final = _TWISTED_WEB + ("rpc", "cluster", "master", "disks", "running", "tap", "cli", "life", "logs")
# Libraries that only some packages may know.
LIBRARY_HOMES: Final = {
    "twisted": _ADAPTERS,
    "klein": ("web.general", "master"),
    "treq": ("cluster", "master"),
    "grpc": ("rpc", "cluster", "master", "tls"),
    "plyvel": ("storage.needlemap.levelstore",),
    "botocore": ("tier",),
    "google": ("tier", "rpc", "storage.format", "ec.sidecar", "pb"),
    "azure": ("tier",),
    "requests": ("tier",),
}

FORBIDDEN_WORDS: Final = frozenset(
    {"util", "utils", "helper", "helpers", "common", "manager", "managers", "handler", "handlers", "misc"}
)


@attrs.frozen
class Source:
    """One parsed module: dotted name below the package ("" is the package itself), text and tree."""

    name: str
    text: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @property
    def line_count(self) -> int:
        """How many lines the module has."""
        return len(self.text.splitlines())


def is_within(name: str, prefix: str) -> bool:
    """Whether a dotted name is ``prefix`` or lies below it."""
    return not prefix or name == prefix or name.startswith(prefix + ".")


def row_of(name: str) -> Row:
    """The row of the layer table that governs a module.

    :raises LookupError: when only the catch-all row matches a module that is not the package itself.
    """
    best = max((row for row in LAYERS if is_within(name, row.name)), key=lambda row: len(row.name))
    if name and not best.name:
        raise LookupError(f"{name} has no row in the layer table")
    return best


def all_imports(source: Source) -> Iterator[str]:
    """Absolute dotted names of everything a module imports, wherever in it the import stands."""
    for node in ast.walk(source.tree):
        yield from _names_of(node, source)


def module_level_imports(source: Source) -> Iterator[str]:
    """As :func:`all_imports`, but only what runs when the module is imported."""
    pending: list[ast.AST] = [source.tree]
    while pending:
        node = pending.pop()
        yield from _names_of(node, source)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def _names_of(node: ast.AST, source: Source) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = _absolute(node, source)
        yield from (f"{module}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    if not node.level:
        return node.module or ""
    parts = f"{PACKAGE}.{source.name}".rstrip(".").split(".")
    drop = node.level - (1 if source.is_package else 0)
    kept = parts[: len(parts) - drop] if drop else parts
    return ".".join(kept + ([node.module] if node.module else []))


def own_imports(source: Source) -> Iterator[str]:
    """Names below our package that a module imports; constants of the package itself left out."""
    for name in all_imports(source):
        head, _, rest = name.partition(".")
        if head == PACKAGE and rest and not rest.startswith("__") and not rest.isupper():
            yield rest


def upward_imports(source: Source) -> list[str]:
    """One complaint for each import that the layer table does not allow."""
    row = row_of(source.name)
    allowed = row.imports + ((row.name,) if row.name else NOTHING)
    return [
        f"{source.name} imports {target}"
        for target in own_imports(source)
        if not any(is_within(target, prefix) for prefix in allowed)
    ]


def strayed_libraries(source: Source) -> list[str]:
    """One complaint for each library that is imported outside its homes."""
    return [
        f"{source.name} imports {target}"
        for target in all_imports(source)
        if target.split(".")[0] in LIBRARY_HOMES
        and not any(is_within(source.name, home) for home in LIBRARY_HOMES[target.split(".")[0]])
    ]


def early_reactors(source: Source) -> list[str]:
    """One complaint when importing the module would install the global reactor."""
    return [
        f"{source.name} imports the reactor"
        for target in module_level_imports(source)
        if is_within(target, "twisted.internet.reactor")
    ]


def long_functions(source: Source) -> list[str]:
    """One complaint for each function, nested ones too, that is over the budget."""
    return [
        f"{source.name}.{node.name} has {(node.end_lineno or node.lineno) - node.lineno + 1} lines"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES
    ]


def vague_names(name: str) -> list[str]:
    """One complaint for each part of a dotted name that says nothing about a role."""
    return [f"{name}: {part}" for part in name.split(".") if FORBIDDEN_WORDS & set(part.lower().split("_"))]


def our_sources() -> list[Source]:
    """Every hand-written module of the package; generated code in ``pb`` is exempt."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        if parts[0] == "pb":
            continue
        is_package = parts[-1] == "__init__"
        found.append(Source(".".join(parts[:-1] if is_package else parts), path.read_text("utf-8"), is_package))
    return found


class RulesTests(unittest.SynchronousTestCase):
    """The checks themselves notice what they are there for."""

    def test_upward_import_is_noticed(self) -> None:
        """A store module that imports an adapter is reported, in each spelling of the import."""
        for line in ("from seaweedvol.web import app", "import seaweedvol.web.app", "from ..web import app"):
            self.assertEqual(len(upward_imports(Source("store.location", line))), 1, line)

    def test_import_inside_a_function_counts(self) -> None:
        """An upward import does not hide in a function."""
        source = Source("storage.ids", "def f():\n    import seaweedvol.store.store\n")
        self.assertEqual(upward_imports(source), ["storage.ids imports store.store"])

    def test_downward_import_is_allowed(self) -> None:
        """What the table allows passes, and so do neighbours of the same package."""
        text = "from seaweedvol.storage.ids import VolumeId\nfrom .events import StoreEvents\nimport os\n"
        self.assertEqual(upward_imports(Source("store.store", text)), [])

    def test_rightward_import_within_storage_is_noticed(self) -> None:
        """Formats know nothing of volumes."""
        source = Source("storage.format.ttl", "from seaweedvol.storage.volume import volume")
        self.assertEqual(len(upward_imports(source)), 1)

    def test_roads_of_web_do_not_cross(self) -> None:
        """The express lane and the general road share what both stand on, and know nothing of each other."""
        shared = "from seaweedvol.web.message.request import Request"
        for source, other in (("web.express.reads", "general.app"), ("web.general.app", "express.reads")):
            self.assertEqual(upward_imports(Source(source, shared)), [])
            self.assertEqual(len(upward_imports(Source(source, f"import seaweedvol.web.{other}"))), 1)

    def test_relative_import_of_a_package_is_resolved(self) -> None:
        """One dot in an __init__ means that package."""
        self.assertEqual(list(own_imports(Source("store", "from .report import x", True))), ["store.report.x"])

    def test_unknown_package_is_noticed(self) -> None:
        """A new package must first get its row."""
        self.assertRaises(LookupError, row_of, "novelty.thing")

    def test_low_twisted_is_noticed(self) -> None:
        """Twisted below the adapters is reported, in adapters it is not."""
        text = "from twisted.internet import defer\n"
        self.assertEqual(len(strayed_libraries(Source("storage.volume.volume", text))), 1)
        self.assertEqual(strayed_libraries(Source("web.general.app", text)), [])
        self.assertEqual(len(strayed_libraries(Source("web.message.request", text))), 1)

    def test_early_reactor_is_noticed(self) -> None:
        """The reactor may be imported in a function, not while a module is imported, whatever the spelling."""
        late = "def f():\n    from twisted.internet import reactor\n"
        self.assertEqual(early_reactors(Source("cli", late)), [])
        hidden = "try:\n    import twisted.internet.reactor\nfinally: pass"
        for early in ("from twisted.internet import reactor", hidden):
            self.assertEqual(len(early_reactors(Source("cli", early))), 1, early)

    def test_long_function_is_noticed(self) -> None:
        """A function may have sixty lines and not one more."""
        fits = "def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1)
        self.assertEqual(long_functions(Source("cli", fits)), [])
        self.assertEqual(len(long_functions(Source("cli", fits + "    y = 1\n"))), 1)

    def test_vague_name_is_noticed(self) -> None:
        """Names of dumps are reported, also as one word of a longer name."""
        self.assertEqual(vague_names("store.location"), [])
        for name in ("store.utils", "web.common.thing", "web.request_handler"):
            self.assertEqual(len(vague_names(name)), 1, name)


class ArchitectureTests(unittest.SynchronousTestCase):
    """What is in the tree keeps the rules."""

    def setUp(self) -> None:
        """Read every module once."""
        self.sources = our_sources()
        self.assertGreater(len(self.sources), 10)

    def test_imports_point_downward(self) -> None:
        """No module imports what its row of the layer table does not allow."""
        self.assertEqual([line for source in self.sources for line in upward_imports(source)], [])

    def test_libraries_stay_at_home(self) -> None:
        """Twisted and its kin, and gRPC, are known only to the adapters."""
        self.assertEqual([line for source in self.sources for line in strayed_libraries(source)], [])

    def test_nobody_imports_the_reactor_early(self) -> None:
        """Importing any module leaves the choice of the reactor open."""
        self.assertEqual([line for source in self.sources for line in early_reactors(source)], [])

    def test_modules_keep_their_budget(self) -> None:
        """A module that outgrows its budget has two jobs."""
        self.assertEqual([s.name for s in self.sources if s.line_count > MODULE_LINES], [])

    def test_functions_keep_their_budget(self) -> None:
        """A function is read on one screen."""
        self.assertEqual([line for source in self.sources for line in long_functions(source)], [])

    def test_names_are_roles(self) -> None:
        """No module is named after a dump."""
        self.assertEqual([line for source in self.sources for line in vague_names(source.name)], [])

    def test_every_module_says_what_it_knows(self) -> None:
        """Each module opens with a docstring."""
        self.assertEqual([s.name for s in self.sources if not ast.get_docstring(s.tree)], [])
