"""What is not on the screen any more does not stay in memory."""

from __future__ import annotations

import gc
from collections import Counter
from weakref import ref

from textual.screen import Screen

from tests.tui.stage import Stage, until


def collect() -> None:
    gc.unfreeze()  # so that what the app froze is looked through as well
    gc.collect()


async def test_closed_screens_are_let_go(stage: Stage) -> None:
    """The last one of a kind may be kept by what was done last in it; not each that was ever opened."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot, 40)
        opened: list[ref[Screen[object]]] = []
        for key in ("i", "i", "i", "ctrl+p", "ctrl+p", "ctrl+q", "ctrl+q", "ctrl+q"):
            await pilot.press(key)
            await until(pilot, lambda: len(app.screen_stack) == 2)
            opened.append(ref(app.screen))
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("tab")

        def most_kept() -> int:
            collect()
            kept = Counter(type(screen).__name__ for one in opened if (screen := one()) is not None)
            return max(kept.values(), default=0)

        await until(pilot, lambda: most_kept() <= 1)
