"""rnnplay: a playground in the terminal for recurrent language models."""

import os

# Threads of OpenMP wait for each other by spinning, for some milliseconds as libgomp has it. Where two programs share
# the cores, each spins while it keeps the other from arriving: two trainings side by side then run at a quarter of
# their speed. After so few turns a thread sleeps instead; alone it costs nothing that can be measured. libgomp reads
# this when torch is loaded, so it is set before that can happen; a person's own setting wins.
os.environ.setdefault("GOMP_SPINCOUNT", "200")

__version__ = "0.1.0"
