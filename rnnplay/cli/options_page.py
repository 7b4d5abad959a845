"""Generates docs/options.md from the knobs' declarations: `python -m rnnplay.cli.options_page [--out FILE]`."""

from __future__ import annotations

from pathlib import Path

import click

from rnnplay.cli.support.options import shown_default
from rnnplay.config import GROUPS, KnobSpec, RunConfig, SamplingConfig, knobs
from rnnplay.generation_config import AdaptationConfig, CompletionConfig
from rnnplay.knobs import typed
from rnnplay.presets import DEFAULT_PRESET, PRESETS

HEAD = """# Options

Every knob of a run: as an option of `rnnplay train`, by its name in a TOML file, and in the form of the terminal
interface. This page is made from `rnnplay/config.py` by
`python -m rnnplay.cli.options_page --out docs/options.md`; a test holds it up to date.

A knob's value comes from the command line, else from the file given with `--config`, else from the preset (`--preset`,
`{preset}` if none is given), else it is the default below. Steps, epochs and minutes say the length together: where
one of them is given, those of the file or the preset no longer hold. Knobs marked *live* may change while training.

A settings file has one knob a line; a path to a corpus may be relative to the file:

```toml
cell = "gru"
hidden = 512
clip_threshold = 0.5
```"""

SAMPLING = """
## Sampling

Options of `rnnplay generate`; `--greedy` is `--temperature 0`.
"""


COMPLETION = """
## Completion

Options of `rnnplay complete` and `rnnplay eval RUN --keystrokes`; in the interface, F9 in the prompt and the
scratchpad.
"""

ADAPTATION = """
## Adaptation

Of a model that adapts to its text: options of `rnnplay eval` and `rnnplay complete`; in the interface, F9.
"""


def render() -> str:
    """Returns the whole page."""
    page = [HEAD.format(preset=DEFAULT_PRESET)]
    for group, title in GROUPS.items():
        specs = [spec for spec in knobs(RunConfig).values() if spec.knob.group == group]
        if specs:
            page += [f"\n## {title}\n", _table(specs)]
    page += [SAMPLING, _table(list(knobs(SamplingConfig).values()))]
    page += [COMPLETION, _table(list(knobs(CompletionConfig).values()))]
    page += [ADAPTATION, _table(list(knobs(AdaptationConfig).values())), _presets()]
    return "\n".join(page)


def _table(specs: list[KnobSpec]) -> str:
    rows = ["| option | default | values | what |", "| --- | --- | --- | --- |"]
    rows += [f"| `{_option(spec)}` | {_default(spec)} | {_values(spec)} | {_what(spec)} |" for spec in specs]
    return "\n".join(rows)


def _option(spec: KnobSpec) -> str:
    return f"{spec.option}/--no-{spec.option[2:]}" if spec.kind == "bool" else spec.option


def _default(spec: KnobSpec) -> str:
    return f"`{shown_default(spec)}`"


def _values(spec: KnobSpec) -> str:
    return ", ".join(f"`{choice}`" for choice in spec.choices) or ("on, off" if spec.kind == "bool" else spec.allowed)


def _what(spec: KnobSpec) -> str:
    what = spec.knob.help
    if spec.special:
        number, meaning = spec.special
        what += f"; {number}: {meaning}"
    if spec.needs:
        other, _, values = spec.needs.partition(" ")
        what += f" (with `{other}` {values})"
    return _escaped(what + (" — *live*" if spec.knob.live else ""))


def _presets() -> str:
    rows = ["\n## Presets\n", "| preset | what | expect, on two cores | settings |", "| --- | --- | --- | --- |"]
    for preset in PRESETS.values():
        settings = ", ".join(f"`{name} = {typed(value)}`" for name, value in preset.values.items())
        rows.append(f"| `{preset.name}` | {_escaped(preset.summary)} | {_escaped(preset.expect)} | {settings} |")
    return "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
def main(out: Path | None) -> None:
    """Writes docs/options.md."""
    page = render()
    if out is None:
        click.echo(page, nl=False)
    else:
        out.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
