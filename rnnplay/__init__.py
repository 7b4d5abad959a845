"""rnnplay: a playground in the terminal for recurrent language models."""

import os

# Threads of OpenMP wait for each other by spinning before they sleep: with this number for some 2 ms, longer than any
# wait within a step. With far less, two threads are slower than one. Where other programs use the cores, spinning is
# ruinous, and training takes fewer threads (rnnplay/training/threads/). libgomp reads this when torch is loaded, so
# it is set before that can happen; a user's own setting wins.
os.environ.setdefault("GOMP_SPINCOUNT", "100000")

__version__ = "0.1.0"

# A process that was told to stay in one folder does so before it imports anything else (common/confinement.py).
if os.environ.get("RNNPLAY_CONFINED"):
    from pathlib import Path

    from rnnplay.common.confinement import confine

    confine(Path(os.environ["RNNPLAY_CONFINED"]))
