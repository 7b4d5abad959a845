"""How much room there is: the widths, in columns, at which the layout changes."""

from __future__ import annotations

NARROW = 100
"""Below, one thing at a time: setup and lesson take turns with the charts."""
BROAD = 160
"""From here on there is room to spare."""
