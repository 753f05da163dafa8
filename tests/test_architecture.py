"""The house of DESIGN §1, kept: who imports whom, how large a file is, what is never done."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT: dict[str, frozenset[str]] = {
    "domain": frozenset(),
    "contracts": frozenset({"domain"}),
    "ports": frozenset({"domain", "contracts"}),
    "adapters": frozenset({"domain", "contracts", "ports"}),
    "store": frozenset({"domain", "ports"}),
    "workflows": frozenset({"domain", "contracts", "activities"}),
    "activities": frozenset({"domain", "contracts", "ports"}),
    "api": frozenset({"domain", "contracts", "ports", "workflows"}),
    "testbed": frozenset({"domain.money"}),
}
OURS = frozenset({*MAY_IMPORT, "workers", "cli"})
MAY_IMPORT |= {"workers": OURS - {"api"}, "cli": OURS}
COMPOSITION_ROOTS = {
    "api/compose.py": frozenset({"adapters", "store"}),
    "api/main.py": frozenset({"adapters", "store"}),
}
ONLY_THESE_LIBRARIES = {
    "domain": {"pydantic"},
    "contracts": {"pydantic"},
    "ports": {"pydantic"},
    "store": {"pydantic", "sqlmodel", "sqlalchemy", "alembic"},
    "workflows": {"pydantic", "temporalio"},
}
NEVER_THESE_LIBRARIES = {
    "activities": {"sqlmodel", "sqlalchemy", "fastapi", "stripe", "easypost"},
    "api": {"sqlmodel", "sqlalchemy", "stripe", "easypost"},
    "adapters": {"sqlmodel", "sqlalchemy", "fastapi"},
}
NOT_PYTHON_OF_OURS = {".venv", ".git", "build", "dist", ".data", "node_modules"}
UNSPEAKING = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
IMPURE = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "time", "monotonic", "random"}
HEAVY = ("sqlalchemy", "sqlmodel", "fastapi", "stripe", "easypost", "httpx", "jinja2", "reportlab")


def sources(*folders: str) -> list[Path]:
    """Return our Python files, below some folders or all."""
    found = (path for folder in folders or (".",) for path in (ROOT / folder).rglob("*.py"))
    return sorted(p for p in found if not NOT_PYTHON_OF_OURS & set(p.relative_to(ROOT).parts))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted module) of each absolute import, also of those inside functions."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: import by full name"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def within(module: str, allowed: frozenset[str] | set[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize("layer", sorted(MAY_IMPORT))
def test_a_layer_imports_only_what_the_table_allows(layer: str) -> None:
    broken = []
    for path in sources(layer):
        allowed = MAY_IMPORT[layer] | {layer} | COMPOSITION_ROOTS.get(name_of(path), frozenset())
        for line, module in imports_of(path):
            if module.split(".")[0] in OURS and not within(module, allowed):
                broken.append(f"{name_of(path)}:{line} imports {module}")
    assert not broken, f"{layer}/ may import {sorted(MAY_IMPORT[layer])} only: {broken}"


@pytest.mark.parametrize("layer", sorted({*ONLY_THESE_LIBRARIES, *NEVER_THESE_LIBRARIES}))
def test_a_layer_uses_only_its_libraries(layer: str) -> None:
    only, never = ONLY_THESE_LIBRARIES.get(layer), NEVER_THESE_LIBRARIES.get(layer, set())
    broken = []
    for path in sources(layer):
        if name_of(path) in COMPOSITION_ROOTS:
            continue
        for line, module in imports_of(path):
            library = module.split(".")[0]
            if library in OURS or library in sys.stdlib_module_names:
                continue
            if library in never or (only is not None and library not in only):
                broken.append(f"{name_of(path)}:{line} imports {library}")
    assert not broken, broken


def test_the_api_knows_the_workflow_classes_in_one_file_only() -> None:
    knowing = {
        name_of(path)
        for path in sources("api")
        for _, module in imports_of(path)
        if within(module, {"workflows"})
    }
    assert len(knowing) <= 1, f"one client file speaks to workflows: {sorted(knowing)}"


def test_no_star_imports() -> None:
    stars = [
        f"{name_of(path)}:{line}"
        for path in sources()
        for line, module in imports_of(path)
        if module.endswith(".*")
    ]
    assert not stars


def test_no_file_is_over_300_lines() -> None:
    long = {
        name_of(path): lines
        for path in sources()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long


def test_no_file_is_named_for_nothing() -> None:
    unspeaking = [name_of(path) for path in sources() if path.stem in UNSPEAKING]
    assert not unspeaking, "name a file for what it holds"


def test_values_that_workflows_see_never_ask_the_clock_or_chance() -> None:
    """The sandbox does not guard passed-through modules (TEMPORAL.md, T10)."""
    impure = []
    for path in sources("domain", "contracts"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.keyword) and node.arg == "default_factory":
                words = {getattr(n, "attr", getattr(n, "id", "")) for n in ast.walk(node.value)}
                if words & IMPURE:
                    impure.append(f"{name_of(path)}:{node.value.lineno}")
    assert not impure


IMPORT_WORKFLOWS = """
import sys, time
import temporalio.workflow, pydantic
began = time.process_time()
import importlib, pkgutil, workflows
for module in pkgutil.walk_packages(workflows.__path__, "workflows."):
    importlib.import_module(module.name)
print(time.process_time() - began)
print(",".join(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_importing_the_workflows_is_quick_and_loads_no_provider() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", IMPORT_WORKFLOWS],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()
        for _ in range(3)
    ]  # fmt: skip
    loaded = set(runs[0][1].split(","))
    assert not loaded & set(HEAVY)
    assert min(float(seconds) for seconds, _ in runs) <= 0.5
