"""The terminal interface (Textual). Never imports torch."""

import os

# Textual repaints when a timer ticks, and a key may have to wait for two ticks. rnnplay changes what it shows at most
# ten times a second, so a faster timer costs nothing and echoes a key 15 ms sooner.
# times a second at most, so that quicker ticks cost nothing and a key is echoed 15 ms sooner.
os.environ.setdefault("TEXTUAL_FPS", "200")
