"""However much is printed in the engine's process, its log stays small, with its beginning and its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rnnplay.engine.output import KEPT, LARGEST, LEFT_OUT, last_lines, shorten

NOISY = """
import os, sys, time
from pathlib import Path
from rnnplay.engine.output import LARGEST, keep_short, redirect_output
log = Path(sys.argv[1])
redirect_output(log)
keep_short()
print("the cause", flush=True)
written, line = 0, b"a library repeats itself\\n" * 1000
while written < 40_000_000:
    written += os.write(2, line)
deadline = time.monotonic() + 20
while not 0 < log.stat().st_size <= LARGEST and time.monotonic() < deadline:
    time.sleep(0.01)
os.write(2, b"the end\\n")
"""


def test_a_flood_of_lines_is_cut_while_it_comes(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    subprocess.run([sys.executable, "-c", NOISY, str(log)], check=True, timeout=60)
    data = log.read_bytes()
    assert len(data) <= LARGEST and data.startswith(b"the cause\n") and LEFT_OUT in data
    assert last_lines(log)[-1] == "the end"


MOVING = """
import os, sys
from pathlib import Path
from rnnplay.engine.output import follow_log, redirect_output
log = Path(sys.argv[1])
redirect_output(log)
follow_log(log)
print("before", flush=True)
os.rename(log.parent, sys.argv[2])
log.parent.mkdir()
follow_log(log)
print("after", flush=True)
assert log.read_text() == "after\\n"
os.unlink(log)
os.link(sys.argv[3], log)
follow_log(log)
print("to the last one", flush=True)
"""


def test_the_log_is_found_again_where_its_folder_is_made_anew(tmp_path: Path) -> None:
    """Nothing is printed to another's file that took its place."""
    log, away, foreign = tmp_path / "run" / "engine.log", tmp_path / "away", tmp_path / "foreign"
    foreign.write_text("")
    subprocess.run([sys.executable, "-c", MOVING, str(log), str(away), str(foreign)], check=True, timeout=60)
    assert (away / "engine.log").read_text() == "before\n"
    assert log.read_text() == foreign.read_text() == ""


def test_what_is_small_enough_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * LARGEST)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    shorten(descriptor)
    assert path.stat().st_size == LARGEST
    os.write(descriptor, b"y")
    shorten(descriptor)
    os.close(descriptor)
    assert path.read_bytes() == b"x" * KEPT + LEFT_OUT + b"x" * (KEPT - 1) + b"y"


def test_a_log_that_is_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    assert last_lines(tmp_path / "log") == ()
    assert last_lines(tmp_path / "none") == ()
