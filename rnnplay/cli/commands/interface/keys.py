"""`rnnplay keys`: prints the keys in force, and writes a keymap.toml to change them in."""

from __future__ import annotations

import click

from rnnplay.cli.support.console import note, table, write_json
from rnnplay.cli.support.session import json_option
from rnnplay.common.files import creating
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError
from rnnplay.workspace import shortened_path


@click.command("keys", short_help="Print the interface's keys, and change them.")
@click.option("--write", is_flag=True, help="Write a keymap.toml to change the keys in.")
@json_option
def command(write: bool, as_json: bool) -> None:
    """Print the keys in force, each with its id; * marks those that keymap.toml changes.

    keymap.toml is in the config folder, beside settings.json.
    """
    from rnnplay.tui.keys.catalogue import PLACES, catalogue, keymap_text
    from rnnplay.tui.keys.keymap_file import keymap_path, load_keymap
    from rnnplay.tui.keys.names import is_sent_everywhere, key_label

    path = keymap_path()
    shown = shortened_path(str(path))
    if write:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with creating(path) as file:
                file.write(keymap_text().encode())
        except FileExistsError as error:
            raise InputError(f"{shown} exists; edit it, or move it away first.") from error
        except OSError as error:
            raise InputError(f"{shown} cannot be written ({reason(error)}); {way_out(error)}.") from error
        note(f"Written: {shown}. Take the # from a line to change a key; rnnplay reads the file when it starts.")
        return
    keymap, problems = load_keymap()
    for problem in problems:
        note(f"Note: {problem}")
    entries = catalogue(keymap)
    for one in entries:
        if one.id in keymap and not any(map(is_sent_everywhere, one.in_force)):
            key = key_label(one.in_force[0])
            note(
                f"Note: {one.id}: only terminals with the kitty keyboard protocol (kitty, Ghostty, foot) send {key}; "
                f'for others give a second key, such as ["{key}", "f12"].'
            )
    if as_json:
        write_json(
            [
                {
                    "id": one.id,
                    "place": PLACES[one.place][0],
                    "what": one.what,
                    "keys": one.in_force,
                    "default": one.keys,
                }
                for one in entries
            ]
        )
        return
    rows = [
        (
            ("* " if one.id in keymap else "  ") + one.id,
            "  ".join(map(key_label, one.in_force)),
            one.what,
            "  ".join(map(key_label, one.keys)) if one.id in keymap else "",
        )
        for one in entries
    ]
    table(("  id", "keys", "does", "default"), rows)
