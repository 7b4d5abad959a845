"""`rnnplay presets`: the named settings."""

from __future__ import annotations

import click

from rnnplay.cli.console import table, write_json
from rnnplay.cli.session import json_option, workspace_option
from rnnplay.presets import DEFAULT_PRESET, PRESETS


@click.command("presets", short_help="List the named settings to start from.")
@workspace_option
@json_option
def command(as_json: bool) -> None:
    """List the named settings to start from, and where they differ from the knobs' defaults."""
    if as_json:
        write_json(
            [
                {"name": name, "summary": preset.summary, "values": preset.values, "default": name == DEFAULT_PRESET}
                for name, preset in PRESETS.items()
            ]
        )
        return
    rows = [
        (name, preset.summary, "  ".join(f"{knob}={shown(value)}" for knob, value in preset.values.items()))
        for name, preset in PRESETS.items()
    ]
    table(("name", "what", "settings"), rows)


def shown(value: object) -> str:
    """A knob's value as it would be typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
