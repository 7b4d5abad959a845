"""Measures the package: files, lines, the longest file, the largest folder, and import cycles.

    python -m tools.structure [--package rnnplay] [--short 60] [--circles]

Imports inside functions and for types only count too. Exits with 1 if files import each other in a cycle.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path


def modules(package: Path) -> dict[str, Path]:
    """Returns every module of the package, by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    """Returns the modules of the package that `path` imports, except itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {one for one in found if one in known and one != name}


def circles(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Returns groups of nodes that reach each other: strongly connected components of more than one (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for neighbour in sorted(graph[node]):
            if neighbour not in index:
                yield from visit(neighbour)
                low[node] = min(low[node], low[neighbour])
            elif neighbour in stack:
                low[node] = min(low[node], index[neighbour])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                yield sorted(group)

    for node in sorted(graph):
        if node not in index:
            yield from visit(node)


def folder_graph(graph: Mapping[str, set[str]], files: Mapping[str, Path]) -> dict[str, set[str]]:
    """Returns which folder imports from which; a folder and its parent count as one."""
    folders = {name: str(path.parent) for name, path in files.items()}
    edges: dict[str, set[str]] = {folder: set() for folder in folders.values()}
    for name, targets in graph.items():
        for target in targets:
            one, other = folders[name], folders[target]
            if not (f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")):
                edges[one].add(other)
    return edges


def main() -> int:
    """Prints the numbers; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.structure", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--package", type=Path, default=Path("rnnplay"))
    parser.add_argument("--short", type=int, default=60, help="a file of fewer lines is short (default: %(default)s)")
    options = parser.parse_args()
    files = modules(options.package)
    lines = {name: len(path.read_bytes().splitlines()) for name, path in files.items()}
    real = {name: count for name, count in lines.items() if files[name].name != "__init__.py"}
    graph = {name: imports(name, path, files) for name, path in files.items()}
    longest = sorted(real, key=lambda name: -real[name])
    folders = Counter(str(files[name].parent) for name in real)
    print(f"{len(files)} files, {len(real)} of them modules; {sum(lines.values()):,} lines")
    print(f"under {options.short} lines: {sum(count < options.short for count in real.values())}")
    print("longest: " + ", ".join(f"{name} {real[name]}" for name in longest[:5]))
    print(f"above 400 lines: {sum(count > 400 for count in real.values())}")
    print("largest folders: " + ", ".join(f"{folder} {count}" for folder, count in folders.most_common(4)))
    found = list(circles(graph))
    for group in found:
        print("circle of files: " + ", ".join(group))
    for group in circles(folder_graph(graph, files)):
        print("circle of folders: " + ", ".join(group))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
