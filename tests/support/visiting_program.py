"""A program in the place of a visitor's interface: it echoes keys, and does what a few of them ask.

`!` fails, `q` quits, `d` offers a file for download, `f` draws forty megabytes. At the end of its input it takes a
moment, as for a checkpoint, and leaves a file in its workspace.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def send(kind: bytes, payload: bytes) -> None:
    os.write(1, kind + len(payload).to_bytes(4, "big") + payload)


def say(text: str) -> None:
    send(b"D", text.encode())


def exactly(count: int) -> bytes:
    read = b""
    while len(read) < count:
        piece = os.read(0, count - len(read))
        if not piece:
            ended()
        read += piece
    return read


def ended() -> None:
    time.sleep(0.1)
    Path("checkpoint").write_text(f"{os.getpid()}")
    sys.exit(129)


os.write(1, b"__GANGLION__\n")
say(f"size {os.environ['COLUMNS']}x{os.environ['ROWS']} {' '.join(sys.argv[1:])}")
while True:
    kind = exactly(1)
    payload = exactly(int.from_bytes(exactly(4), "big"))
    if kind == b"M":
        given = json.loads(payload)
        if given["type"] == "deliver_chunk_request":
            offered = given["key"]
            chunk = "" if Path("sent").exists() else "a,b\n1,2\n"
            # As textual-serve reads a tuple of two strings and bytes.
            send(b"P", f"ts13:deliver_chunks{len(offered)}:{offered}{len(chunk)}:{chunk}e".encode())
            Path("sent").touch()
        else:
            say(json.dumps(given))
    elif payload == b"!":
        sys.exit(3)
    elif payload == b"q":
        sys.exit(0)
    elif payload == b"f":  # more than any pipe and socket take
        for _ in range(400):
            say("x" * 100_000)
    elif payload == b"c":  # an engine that is still at its checkpoint when the interface ends
        work = "import time; time.sleep(1.2); open('engine', 'w').close()"
        subprocess.Popen([sys.executable, "-c", work], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        say("started")
    elif payload == b"d":
        offer = {
            "type": "deliver_file_start",
            "key": f"key-{os.getpid()}",
            "path": '/x/ru"n.csv',
            "mime_type": "text/csv",
        }
        send(b"M", json.dumps({**offer, "open_method": "download", "encoding": "", "name": None}).encode())
    else:
        say(f"typed {payload.decode('utf-8', 'replace')}")
