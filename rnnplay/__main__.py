"""The command `rnnplay`, also as `python -m rnnplay`."""

from __future__ import annotations


def main() -> None:
    """Runs the command line with the arguments of the process and exits with its code."""
    from rnnplay.cli.main import program

    program.main(prog_name="rnnplay")


if __name__ == "__main__":
    main()
