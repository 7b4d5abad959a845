"""`python -m rnnplay.engine --workspace DIR`: the engine process, started by rnnplay.engine.client."""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnplay.engine.wire import take_over_standard_streams

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="rnnplay.engine")
    parser.add_argument("--workspace", type=Path, required=True)
    workspace = parser.parse_args().workspace
    # Before torch is imported: from here on nothing but events can reach the parent.
    commands, events = take_over_standard_streams(workspace / ".cache" / "engine.log")

    from rnnplay.engine.process import main

    main(workspace, commands, events)
