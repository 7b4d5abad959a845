"""All keys that can be changed: what each does, its default keys, and where it works."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rnnplay.common.commands import shell_command
from rnnplay.tui.keys.names import key_label

Keymap = Mapping[str, tuple[str, ...]]
"""The keys of each binding id that the user has changed, as Textual names them."""

TABLE = Path(__file__).with_name("table.json")
"""What declarations.py writes: by id, what the key does and the default keys, as Textual names them."""

PLACES: dict[str, tuple[str, str]] = {
    "everywhere": ("Everywhere", "*"),
    "playground": ("Playground", "playground"),
    "chart": ("Charts", "playground race runs comparison gradient distance"),
    "setup": ("Fields of the setup, and those of a sample", "playground race-plan completion"),
    "prompt": ("Prompt", "playground race inspection"),
    "sample": ("Sample", "playground race"),
    "lesson": ("Lesson", "playground"),
    "lessons": ("List of lessons", "lessons"),
    "inspection": ("Inspection", "playground inspection gradient gates what-if clipping distance tokens timestep"),
    "gradient": ("Inspection: gradient", "gradient"),
    "gates": ("Inspection: gates", "gates"),
    "what-if": ("Inspection: what if", "what-if"),
    "clipping": ("Inspection: clipping", "clipping"),
    "tokens": ("Inspection: the tokens of a text", "tokens"),
    "timestep": ("Inspection: one timestep", "timestep"),
    "completion": ("Completion and adaptation", "completion"),
    "checkpoints": ("Checkpoints of a run", "checkpoints"),
    "rate-test": ("Learning-rate range test", "rate-test"),
    "runs": ("Runs", "runs"),
    "comparison": ("Comparison", "comparison"),
    "samples": ("Sample log", "samples"),
    "written": ("Samples that were drawn", "written"),
    "sweeps": ("Sweeps", "sweeps"),
    "race": ("Race", "race"),
    "race-plan": ("Plan of a race", "race-plan"),
    "scratchpad": ("Scratchpad", "scratchpad"),
    "choice": ("Scratchpad: choice of samples", "choice"),
    "files": ("Choice of a file", "files"),
    "dialog": ("Questions", "dialog"),
}
"""Each place, the first part of an id: its title, and the screens and views on which its keys work."""

_HEAD = """\
# The keys of rnnplay. Take the # from a line to change it; what is left out stays as it is.
# A key: t  T  +  space  enter  escape  tab  f5  up  pagedown  ctrl+k  alt+1  shift+left
# Several: ["k", "up"]. {} prints those in force, and says which lines are refused.
"""


@dataclass(slots=True)
class KeyEntry:
    """What one id is bound to."""

    id: str
    what: str
    keys: list[str] = field(default_factory=list)
    """The default keys, as Textual names them."""
    in_force: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return self.id.partition(".")[0]


@cache
def declared_keys() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Returns what each id does and its default keys, as Textual names them, by place."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {one: (what, tuple(keys)) for one, (what, keys) in table.items()}


def default_key(binding_id: str) -> str:
    """Returns the first default key of an id, as Textual names it; raises KeyError."""
    return declared_keys()[binding_id][1][0]


def catalogue(keymap: Keymap) -> list[KeyEntry]:
    """Returns every id with its default keys and those in force under `keymap`, by place."""
    return [
        KeyEntry(one, what, list(keys), list(keymap.get(one, keys))) for one, (what, keys) in declared_keys().items()
    ]


def keymap_text() -> str:
    """Returns a keymap.toml in which every line is a comment that shows a default."""
    lines, place = [_HEAD.format(shell_command("keys"))], ""
    for entry in catalogue({}):
        if entry.place != place:
            place = entry.place
            lines.append(f"\n# {PLACES[place][0]}\n[{place}]\n")
        keys = [_toml(key_label(key)) for key in entry.keys]
        value = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
        lines.append(f"# {entry.id.partition('.')[2]} = {value}  # {entry.what}\n")
    return "".join(lines)


def _toml(text: str) -> str:
    return f"'{text}'" if text in ("\\", '"') else f'"{text}"'
