"""Measurements. Each module is a command: `python -m benchmarks.FOLDER.NAME` prints what it measured."""

from __future__ import annotations

import argparse


def options_of(module: str, about: str | None) -> argparse.ArgumentParser:
    """Returns a parser for `python -m MODULE`, whose --help prints `about`, the module's docstring."""
    shape = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(prog=f"python -m {module}", description=about, formatter_class=shape)
