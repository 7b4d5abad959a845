"""The command line with an engine that says it is ready and does nothing, which costs no start of torch.

With RNNPLAY_TEST_CRASH in the environment, the key `e` is an error that nobody foresaw; with RNNPLAY_TEST_STUCK the
engine answers and does not end. RNNPLAY_TEST_STALLED: seconds after a signal until the interface ends anyhow.
"""

from __future__ import annotations

import os
import sys
from typing import Any

ENGINE = """
import json, os, sys
parent = os.getppid()
sys.stdout.write(json.dumps({"type": "ready", "pid": os.getpid(), "torch": "", "device": "cpu"}) + "\\n")
sys.stdout.flush()
sys.stdin.read()
import time
while "RNNPLAY_TEST_STUCK" in os.environ and os.getppid() == parent:
    time.sleep(0.1)
open(sys.argv[1] + "/engine-ended", "w").close()
"""


def main() -> None:
    """Run rnnplay with the arguments of this process."""
    import rnnplay.tui.run_controller as control
    from rnnplay.engine.client import EngineClient

    def idle(workspace: Any, on_event: Any, on_exit: Any, _command: Any = None) -> EngineClient:
        return EngineClient(workspace, on_event, on_exit, [sys.executable, "-S", "-c", ENGINE, str(workspace)])

    setattr(control, "EngineClient", idle)  # noqa: B010
    if "RNNPLAY_TEST_STALLED" in os.environ:
        from rnnplay.tui.textual_patches import driver

        driver.STALLED_SECONDS = float(os.environ["RNNPLAY_TEST_STALLED"])
    if "RNNPLAY_TEST_CRASH" in os.environ:
        from rnnplay.tui.screens.playground.screen import PlaygroundScreen

        def fail(_: object) -> None:
            raise IndexError("list index out of range")

        setattr(PlaygroundScreen, "action_setup", fail)  # noqa: B010
    from rnnplay.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
