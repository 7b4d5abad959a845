"""`rnnplay complete`: a completion and the most probable next tokens."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rnnplay.cli.support.console import note_unknown, table, write_json, written
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import (
    Session,
    checkpoint_option,
    find_model,
    json_option,
    pass_session,
    workspace_option,
)
from rnnplay.cli.support.text_input import prompt_file_option, prompt_text


@click.command("complete", short_help="Complete a word and list the most probable next tokens.")
@click.argument("run_name", metavar="RUN")
@click.argument("text", metavar="[TEXT|-]", required=False)
@click.option("--prompt", metavar="TEXT|-", help="The same as TEXT.")
@prompt_file_option
@click.option(
    "--bars", metavar="N", type=WholeNumber(1, 1000), default=8, help="How many next tokens to list.  [default: 8]"
)
@click.option(
    "--serve",
    is_flag=True,
    help="Answer requests on standard input, one line of JSON each, until it ends: for editors and other programs.",
)
@checkpoint_option
@workspace_option
@json_option
@pass_session
def command(
    session: Session,
    run_name: str,
    text: str | None,
    prompt: str | None,
    prompt_file: Path | None,
    bars: int,
    serve: bool,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Complete TEXT to the end of the word with the model of RUN, and list the most probable next tokens.

    A TEXT of - is read from standard input; one that begins with a dash comes after --. A text from a file or from
    standard input loses its final newline.

    With --serve the model is loaded once, and each request, such as {"id": 1, "text": "Once upon a"}, is answered with
    one line of JSON within milliseconds.
    """
    if serve:
        if not (text is None and prompt is None and prompt_file is None):
            raise click.UsageError("With --serve the texts come in requests on standard input; leave TEXT out.")
        _serve(session, run_name, checkpoint)
        return
    if text is not None and prompt is not None:
        raise click.UsageError("TEXT and --prompt are the same; leave one out.")
    text = prompt if text is None else text
    if text is None and prompt_file is None:
        raise click.UsageError("There is no text to complete; write it after the run's name, or give --prompt-file.")
    run = find_model(session, run_name)
    text = prompt_text(text, prompt_file)

    from rnnplay.model.generation.completion import complete
    from rnnplay.training.checkpointing.checkpoints import load_model

    model, tokenizer, step = load_model(run, checkpoint)
    found = complete(model, tokenizer, text, bars)
    if as_json:
        likely = [{"token": token, "probability": probability} for token, probability in found.next]
        words = [{"text": word, "probability": probability} for word, probability in found.words]
        write_json(
            {
                "suggestion": found.suggestion,
                "phrase": found.phrase,
                "words": words,
                "next": likely,
                "unknown": found.unknown,
                "step": step,
            }
        )
        return
    note_unknown(found.unknown)
    click.echo(written(text + found.suggestion))
    rows = [(visible(token), f"{100 * probability:.1f}%") for token, probability in found.next]
    table(("next", "probability"), rows, numbers=("probability",))


def _serve(session: Session, run_name: str, checkpoint: str) -> None:
    run = find_model(session, run_name)

    import torch

    from rnnplay.cli.support.completion_server import CompletionServer
    from rnnplay.training.checkpointing.checkpoints import load_model

    torch.set_num_threads(1)  # one token at a time gains nothing from more
    model, tokenizer, step = load_model(run, checkpoint)
    write_json({"ready": True, "run": run.name, "step": step})
    CompletionServer(model, tokenizer, step).serve(sys.stdin.buffer, write_json)


def visible(token: str) -> str:
    """Makes a token readable in a table."""
    return {" ": "␠ space", "\n": "⏎ newline", "\t": "⇥ tab"}.get(token) or written(token)
