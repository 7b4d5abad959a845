"""Prints one table with the results of all groups of measurements.

    python -m benchmarks [--only step,kernels] [--quick] [--threads 1] [--large] [--texts FOLDER] [--json FILE]

Ratios are of two processes that train in turns, A B B A …, each for --seconds; the median over --rounds of the turns'
ratios. On one thread they are by processor time, which other work on the machine disturbs least; on several by the
clock: then let nothing else run. With --texts it also measures the loss that models reach, which takes half an hour.
The other benchmarks are listed at the end of --help.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import sys
from pathlib import Path

from benchmarks import options_of
from benchmarks.lines import GROUPS, Line, Options
from rnnplay.model.hardware import describe_machine

COLUMNS = ("what", "", "measured", "asked for", "")


def shown(line: Line) -> tuple[str, ...]:
    """Returns the cells of a row."""
    value = "–" if line.value is None else f"{line.value:,.{line.decimals}f} {line.unit}"
    return line.group, line.what, value, line.asked, line.note


def others() -> str:
    """Returns the command and the first line about each of the other benchmarks, by folder."""
    found = []
    for package in sorted(Path(__file__).parent.glob("*/__init__.py")):
        found.append(f"\n{_first_line(package)}")
        for file in sorted(package.parent.glob("*.py")):
            if 'if __name__ == "__main__":' in file.read_text(encoding="utf-8"):
                found.append(f"  python -m benchmarks.{package.parent.name}.{file.stem}\n      {_first_line(file)}")
    return "\n".join(found)


def _first_line(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_bytes())) or "").split("\n", 1)[0]


def main() -> None:
    parser = options_of("benchmarks", __doc__)
    parser.epilog = "other benchmarks:\n" + others()
    parser.add_argument("--only", default=",".join(GROUPS), help=f"any of {', '.join(GROUPS)}, separated by commas")
    parser.add_argument("--quick", action="store_true", help="few and short turns, to check that it works")
    parser.add_argument("--threads", type=int, default=1, help="threads of each side")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5, help="seconds of each turn")
    parser.add_argument("--large", action="store_true", help="a text of 1 GB instead of 100 MB")
    parser.add_argument(
        "--texts", type=Path, metavar="FOLDER", help="a folder with tinyshakespeare.txt and wikitext-2/train.txt"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines there too")
    given = parser.parse_args()
    chosen = [name.strip() for name in given.only.split(",")]
    if unknown := [name for name in chosen if name not in GROUPS]:
        parser.error(f"--only has {', '.join(unknown)}; choose from {', '.join(GROUPS)}")
    if given.json:
        try:
            given.json.touch()  # fails now rather than after half an hour
        except OSError as error:
            parser.error(f"--json cannot be written ({error.strerror})")
    options = Options(
        threads=given.threads,
        rounds=3 if given.quick else given.rounds,
        seconds=0.5 if given.quick else given.seconds,
        megabytes=1000 if given.large else 10 if given.quick else 100,
        quick=given.quick,
        texts=given.texts,
    )
    machine = describe_machine() | {"threads": str(options.threads)}
    print(f"{machine['cpu']}, {machine['cores']}; torch {machine['torch']}; {options.threads} thread(s) per side")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 0.5:
        print(f"Other work runs on this machine (load {load:.1f}): ratios are noisy, though medians of turns.")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    lines: list[Line] = []
    failed = False
    for name in chosen:
        try:
            for line in GROUPS[name](options):
                lines.append(line)
                print(f"| {' | '.join(shown(line))} |", flush=True)
        except Exception as error:  # the other groups are still measured
            failed = True
            print(f"| {name} | could not be measured: {type(error).__name__}: {str(error)[:200]} | – | | |", flush=True)
    if given.json:
        found = {"machine": machine, "load": load, "lines": [dataclasses.asdict(line) for line in lines]}
        given.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
