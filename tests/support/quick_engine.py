"""An engine without torch, for races: it says what a training says, and trains nothing.

Its validation loss is that of `seed` and `lr`; a run on `cuda` is refused, and one with `early_stop` ends the process.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def say(**event: Any) -> None:
    """Sends an event."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def progress(seconds: float, *records: dict[str, Any]) -> None:
    """Sends records."""
    say(type="progress", records=records, seconds=seconds, fraction=0.5)


def train(config: dict[str, Any]) -> None:
    """Sends the records of a whole run, of two steps with a validation after each."""
    for step in (1, 2):
        numbers = {"loss": 1.0, "grad_norm": 1.0, "grad_norm_clipped": 1.0, "clipped": False, "lr": config["lr"]}
        loss = config["lr"] + config["seed"] / 100 - step / 1000
        quality = {"loss": loss, "perplexity": 2.0, "bits_per_character": 2 * loss, "best": True}
        progress(
            step / 10,
            {"type": "step", "step": step, **numbers, "tokens": 100 * step, "tokens_per_second": 1000.0},
            {"type": "validation", "step": step, **quality},
        )
    progress(0.2, {"type": "finished", "step": 2, "reason": "length"})


def main() -> None:
    """Answers commands until the pipe is closed."""
    say(type="ready", pid=1, torch="", device="cpu")
    config: dict[str, Any] = {}
    for line in sys.stdin:
        command = json.loads(line)
        if command["type"] == "train":
            config = command["config"]
            if config["device"] == "cuda":
                say(type="failed", message="There is no CUDA device here.", command="train")
            elif config["early_stop"]:
                sys.exit(3)
            else:
                progress(0.0, {"type": "started", "run": "x", "parameters": 9, "vocabulary": 5, "device": "cpu"})
                say(type="waiting", step=0, tokens=0, seconds=0.0)
        elif command["type"] == "allow" and command.get("steps") != 0 and command.get("seconds") != 0.0 and config:
            train(config)
            config = {}


if __name__ == "__main__":
    main()
