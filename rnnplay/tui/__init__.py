"""The terminal interface (Textual). Never imports torch."""

import os

# Textual paints at the ticks of a timer, and a key may have to wait for two of them. What rnnplay shows changes ten
# times a second at most, so that quicker ticks cost nothing and a key is echoed 15 ms sooner.
os.environ.setdefault("TEXTUAL_FPS", "200")
