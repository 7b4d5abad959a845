"""Takes the screenshot in the README: the playground after a minute of training, drawn by the program itself.

python -m benchmarks.pictures.screenshot [--out docs/pictures/playground.svg] [--steps 1600]
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from benchmarks import options_of
from benchmarks.pictures.cells_svg import to_svg
from rnnplay.presets import preset_config
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.prompt.sample_view import SampleView
from rnnplay.tui.run_state import Phase
from rnnplay.workspace import Workspace

COLUMNS, ROWS = 120, 40
OPENING = "Once upon a time there was a"
GOING_ON = " little cat who wan"
KEYS = {" ": "space"}


async def until(pilot: Pilot[None], condition: Callable[[], bool], seconds: float = 60) -> None:
    """Runs the app until `condition` holds; raises TimeoutError if it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.05)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Types `text` at a user's pace."""
    for character in text:
        await pilot.press(KEYS.get(character, character))
        await pilot.pause(0.1)


async def take(workspace: Workspace, steps: int) -> str:
    """Trains the default preset for that many steps, writes a sample and types on; returns the screen as SVG."""
    app = RnnplayApp(workspace, preset_config())
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        controller = app.controllers.front
        state = controller.state
        await until(pilot, lambda: controller.engine_ready)
        await pilot.press("t")
        await until(pilot, lambda: state.last is not None)
        app.playground.form.set_value("clip_threshold", 0.3)
        await until(pilot, lambda: state.step >= steps, 110)
        prompt = app.playground.prompt
        await pilot.press("g")
        await type_text(pilot, OPENING)
        prompt.sampling = type(prompt.sampling)(seed=7)
        await pilot.press("enter")
        sample = prompt.query_one(SampleView)
        await until(pilot, lambda: bool(sample.last) and not sample.streaming)
        await type_text(pilot, GOING_ON)
        ghost = prompt.query_one(GhostInput)
        await until(pilot, lambda: len(ghost.ghost) > 2 and state.phase is Phase.TRAINING)
        await pilot.pause(1.0)  # the charts wait while keys are typed
        await until(pilot, lambda: len(ghost.ghost) > 2)
        background = app.screen.styles.background.rgb
        strips = app.screen._compositor.render_strips(app.size)
        return to_svg(strips, COLUMNS, ROWS, "rnnplay", "#{:02x}{:02x}{:02x}".format(*background))


def main() -> None:
    parser = options_of("benchmarks.pictures.screenshot", __doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/playground.svg"))
    parser.add_argument("--steps", type=int, default=1600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["RNNPLAY_CONFIG"] = str(Path(folder) / "settings.json")
        picture = asyncio.run(take(Workspace(Path(folder)).create(), options.steps))
    options.out.write_text(picture, encoding="utf-8", newline="\n")
    print(f"{options.out}: {len(picture) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
