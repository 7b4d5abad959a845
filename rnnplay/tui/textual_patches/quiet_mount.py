"""Widgets that come and go above the others of a screen, of which none is painted again.

Textual paints a whole screen whenever something is mounted on it or removed from it; and whatever has another number
in the order of its parent's children counts as changed, so that what comes must be the first of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual.screen import Screen
from textual.widget import Widget


async def mount_quietly(screen: Screen[object], widgets: Sequence[Widget]) -> None:
    """Mounts `widgets`, which have a layer and places of their own, on `screen`."""
    screen.app._register(screen, *widgets, before=0)
    await asyncio.gather(*(widget._mounted_event.wait() for widget in widgets))
    screen.refresh(repaint=False, layout=True)


async def remove_quietly(screen: Screen[object], widgets: Sequence[Widget]) -> None:
    """Removes from `screen` those of `widgets` that are on it."""
    await screen.app._prune(*(widget for widget in widgets if widget.is_attached))
    screen.refresh(repaint=False, layout=True)
