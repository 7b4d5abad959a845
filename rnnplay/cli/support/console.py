"""Output of the commands: streams that may be pipes, tables, and numbers in readable form."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from rnnplay.common.encodings import encodable, is_utf8
from rnnplay.common.formatting import fixed, model_text
from rnnplay.common.terminal_text import sanitize, sanitize_line, sanitize_message

if TYPE_CHECKING:
    import msgspec

    from rnnplay.config import RunConfig
    from rnnplay.model.generation.adaptation.adapted_prompt import Learned
    from rnnplay.workspace import Workspace

_RAW_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that JSON allows unescaped in a string, but a terminal interprets or misplaces."""

_NOT_ASCII = re.compile("[^\\x00-\\x7e]")
"""The same where stdout is not UTF-8: everything beyond ASCII is escaped, so that JSON stays exact."""


def write_json(value: object) -> None:
    """Writes `value` as one line of JSON on stdout, exact, escaping what a terminal would interpret."""
    from rnnplay.common.jsonl import encode_line

    try:
        line = encode_line(value).decode()
    except UnicodeEncodeError:  # a path that is not UTF-8: its bytes as escaped surrogates
        import json

        line = json.dumps(value) + "\n"
    raw = _RAW_IN_JSON if is_utf8(sys.stdout) else _NOT_ASCII
    click.echo(raw.sub(lambda match: json_escape(match[0]), line), nl=False)


def json_escape(letter: str) -> str:
    """Escapes one character for JSON, as one or two UTF-16 units."""
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def note(message: str) -> None:
    """Writes a remark on stderr, beside the result."""
    click.echo(sanitize_message(message), err=True)


def note_unknown(unknown: Sequence[str]) -> None:
    """Says which pieces of a text the model has no token for, if there are any."""
    if unknown:
        shown = encodable(", ".join(map(repr, unknown[:8])), sys.stderr)
        note(f"Note: the model has no token for {shown}; it reads <unk> instead.")


def note_idle(names: Iterable[str], configs: Sequence[msgspec.Struct]) -> None:
    """Says which of the knobs `names`, which the user set, have an effect in none of `configs`."""
    from rnnplay.knobs import idle

    if found := [f"{spec.name} (only with {spec.needs})" for spec in idle(names, configs)]:
        note(f"Note: {' and '.join(found)} {'have' if len(found) > 1 else 'has'} no effect here.")


def note_missing(workspace: Workspace) -> None:
    """Says that the workspace is missing, where what is bundled with rnnplay is of use all the same."""
    if trouble := workspace.missing():
        note(f"Note: {trouble}.")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = (), whole: Sequence[str] = ()
) -> None:
    """Writes a table on stdout: drawn for a terminal, tab-separated columns in a pipe.

    The columns `numbers` are aligned right; the cells of `whole`, which users copy, stay on one line.
    """
    rows = [[sanitize_line(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(columns), *rows]:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in numbers else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))  # Text: a name is not markup
    Console().print(drawn)


def pairs(values: Iterable[tuple[str, str]]) -> None:
    """Writes names and values on stdout, one pair a line, the values aligned."""
    shown = [(name, sanitize_line(value)) for name, value in values]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {value}")


def printable(text: str) -> str:
    """Makes control characters in `text` visible, so that a terminal does not interpret them.

    Newline and tab stay. C0 and DEL become their names in the U+2400 block, C1 and the marks that reorder lines U+FFFD.
    """
    return sanitize(text)


def written(text: str) -> str:
    """Text of a model or a user, for stdout: `printable`, with `?` for what the encoding lacks."""
    return encodable(printable(text), sys.stdout)


class TextOut:
    """Generated text on stdout: `printable` on a terminal, exact UTF-8 in a pipe; the last line is ended in both."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._last = "\n"

    def write(self, text: str) -> None:
        """Writes and flushes; raises BrokenPipeError if the reader is gone."""
        if not text:
            return
        if self._terminal:
            sys.stdout.write(written(text))
            sys.stdout.flush()
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
        self._last = text[-1]

    def end(self) -> None:
        """Ends the last line, so that the shell's prompt, or the next file, begins a new one."""
        if self._last != "\n":
            self.write("\n")


def model_name(config: RunConfig) -> str:
    """ "LSTM 1×256", "ReLU RNN 2×128"."""
    return model_text(config.cell, config.nonlinearity, config.layers, config.hidden)


def corpus_name(corpus: str) -> str:
    """The corpus knob's value for display: a name as it is, of a path the file's name."""
    from rnnplay.knob_texts import corpus_label

    return corpus_label(corpus, suffix=False)


def learned_text(learned: Learned) -> str:
    """What was learned from a text by a model that adapts to it, in a line."""
    if not learned.tokens:
        return "the text is too short to learn from"
    before, after = fixed(learned.before, 4), fixed(learned.after, 4)
    return f"{before} nats per token as trained, {after} as it adapts, over {learned.tokens:,} tokens"


def builtins(value: Any) -> Any:
    """Converts a Struct to dicts and lists, for a larger JSON object."""
    import msgspec

    return msgspec.to_builtins(value)
