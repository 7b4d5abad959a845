"""`rnnplay presets`: lists the named settings."""

from __future__ import annotations

import click

from rnnplay.cli.support.console import note, note_missing, table, write_json
from rnnplay.cli.support.session import Session, json_option, pass_session, workspace_option
from rnnplay.knobs import typed
from rnnplay.presets import DEFAULT_PRESET, all_presets


@click.command("presets", short_help="List the named settings to start from.")
@workspace_option
@json_option
@pass_session
def command(session: Session, as_json: bool) -> None:
    """List the named settings to start from: where they differ from the knobs' defaults, and what to expect of them.

    Your own are TOML files in the workspace's presets/, one knob per line; the interface saves them too.
    """
    presets, problems = all_presets(session.workspace.presets)
    note_missing(session.workspace)
    for problem in problems:
        note(f"Note: {problem}")
    if as_json:
        write_json(
            [
                {
                    "name": name,
                    "summary": preset.summary,
                    "expect": preset.expect,
                    "values": preset.values,
                    "default": name == DEFAULT_PRESET,
                }
                for name, preset in presets.items()
            ]
        )
        return
    rows = [
        (
            name,
            preset.summary,
            preset.expect,
            "  ".join(f"{knob}={typed(value)}" for knob, value in preset.values.items()),
        )
        for name, preset in presets.items()
    ]
    table(("name", "what", "expect, on two cores", "settings"), rows)
