"""docs/platforms.md: it lists every module with code for one system or another, so that none appears unchecked."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "platforms.md"
SYSTEM_MODULES = ("os", "signal", "socket", "select", "time")
"""Modules of Python that have other names in them on other systems."""
ONE_SYSTEM = {"fcntl", "grp", "msvcrt", "pty", "pwd", "resource", "termios", "tty", "winreg"}
"""Modules that only some systems have."""


def branches(tree: ast.AST) -> set[str]:
    """The tests of the system in a module, as they are written, and what it imports of one system."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(value=ast.Name(id="sys"), attr="platform")
                | ast.Attribute(value=ast.Name(id="os"), attr="name")
            ):
                found.add(ast.unparse(node))
            case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[ast.Name(id=name), *_]):
                if name in SYSTEM_MODULES:
                    found.add(ast.unparse(node))
            case ast.Import(names=names):
                found |= {one.name for one in names} & ONE_SYSTEM
            case ast.ImportFrom(module=str(module)):
                found |= {module} & ONE_SYSTEM
            case _:
                pass
    return found


def listed() -> set[str]:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return {path for row in rows for path in re.findall(r"`(rnnplay/[\w./]+)`", row.split("|")[1])}


def test_every_module_with_code_for_one_system_is_listed_and_those_listed_exist() -> None:
    paths = listed()
    assert all((ROOT / path).exists() for path in paths)
    missing = {}
    for file in sorted((ROOT / "rnnplay").rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        covered = any(name == path or (path.endswith("/") and name.startswith(path)) for path in paths)
        if not covered and (found := branches(ast.parse(file.read_text("utf-8")))):
            missing[name] = sorted(found)
    assert missing == {}, f"say in {PAGE.name} what these do on which system, and how that was checked"


def test_the_system_is_asked_for_by_a_name_that_type_checkers_follow() -> None:
    """After `sys.platform == "win32"` mypy looks at each branch as on its system; `os.name` it does not follow."""
    asking = [
        file.name
        for file in (ROOT / "rnnplay").rglob("*.py")
        if "os.name" in branches(ast.parse(file.read_text("utf-8")))
    ]
    assert asking == []


def test_the_search_finds_each_kind_of_branch() -> None:
    for line in ("if sys.platform == 'win32': pass", "a = os.name", "hasattr(os, 'x')", "getattr(signal, 'SIGHUP', 1)"):
        assert branches(ast.parse(line)), line
    assert branches(ast.parse("def f():\n    import fcntl")) == {"fcntl"}
    assert not branches(ast.parse("platform = sys.version; hasattr(model, 'name'); thing.name"))
