"""`rnnplay complete`: a completion and the most probable next tokens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from rnnplay.cli.support.console import learned_text, note, note_idle, note_unknown, table, write_json, written
from rnnplay.cli.support.options import KnobCommand, WholeNumber, given, knob_options
from rnnplay.cli.support.session import (
    Session,
    checkpoint_option,
    find_model,
    json_option,
    pass_session,
    workspace_option,
)
from rnnplay.cli.support.text_input import prompt_file_option, prompt_text
from rnnplay.cli.support.working import working
from rnnplay.common.formatting import fixed
from rnnplay.common.terminal_text import NEWLINE, SPACE, TAB
from rnnplay.config import knobs
from rnnplay.errors import InputError
from rnnplay.generation_config import AdaptationConfig, CompletionConfig

if TYPE_CHECKING:
    from rnnplay.inspection.loaded_model import SavedRun


@click.command("complete", cls=KnobCommand, short_help="Complete a word and list the most probable next tokens.")
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
@click.option(
    "--keep",
    metavar="NAME",
    help="With --dynamic: save the weights as adapted to the text as a new run of this name, branched from RUN.",
)
@checkpoint_option
@workspace_option
@json_option
@knob_options(AdaptationConfig)
@knob_options(CompletionConfig)
@pass_session
def command(
    session: Session,
    /,
    run_name: str,
    text: str | None,
    prompt: str | None,
    prompt_file: Path | None,
    bars: int,
    serve: bool,
    keep: str | None,
    checkpoint: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Complete TEXT to the end of the word with the model of RUN, and list the most probable next tokens.

    A TEXT of - is read from standard input; one that begins with a dash comes after --. A text from a file or from
    standard input loses its final newline.

    With --serve the model is loaded once, and each request, such as {"id": 1, "text": "Once upon a"}, is answered with
    one line of JSON within milliseconds.

    With --dynamic, --cache or both the model adapts to the text first, and the run stays as it is.
    """
    chosen = given(values)
    completion = CompletionConfig(**{name: chosen[name] for name in knobs(CompletionConfig) if name in chosen})
    adaptation = AdaptationConfig(**{name: chosen[name] for name in knobs(AdaptationConfig) if name in chosen})
    if not adaptation.adapts and adaptation != AdaptationConfig():
        raise InputError("The settings of an adaptation need --dynamic or --cache; give one of them, too.")
    note_idle([name for name in knobs(AdaptationConfig) if name in chosen], [adaptation])
    if keep is not None and (serve or not adaptation.dynamic):
        raise InputError("--keep saves the weights that --dynamic adapts to TEXT; give both, without --serve.")
    if serve:
        if not (text is None and prompt is None and prompt_file is None):
            raise click.UsageError("With --serve the texts come in requests on standard input; leave TEXT out.")
        _serve(session, run_name, checkpoint, completion, adaptation)
        return
    if text is not None and prompt is not None:
        raise click.UsageError("TEXT and --prompt are the same; leave one out.")
    text = prompt if text is None else text
    if text is None and prompt_file is None:
        raise click.UsageError("There is no text to complete; write it after the run's name, or give --prompt-file.")
    text = prompt_text(text, prompt_file)
    if keep is not None:  # before the model is loaded and adapts, which takes seconds
        from rnnplay.runs.folder import RunFolder, check_run_name

        if RunFolder(session.workspace.checkpoints / check_run_name(keep)).holds_run():
            raise InputError(f"There is a run {keep!r} already; choose another name with --keep.")

    with working("loading the model"):
        from rnnplay.inspection.adapting import Adapting
        from rnnplay.model.generation.completion import Completer
        from rnnplay.training.threads.free_cores import use_free_cores

        use_free_cores()
        loaded = _loaded(session, run_name, checkpoint)
    adapted = None
    if adaptation.adapts:
        adapting = Adapting(loaded, adaptation)
        with working("preparing to adapt", lambda: adapting.fraction):
            adapted = adapting.prepare()
    with working("reading the text"):
        found = Completer(loaded.model, loaded.tokenizer, adapted=adapted, words=loaded.words).complete(
            text, bars, completion
        )
    assert found is not None  # it was given the time it needs
    if keep is not None:
        from rnnplay.inspection.adapting import keep_adapted

        assert adapted is not None
        with working("validating the adapted weights"):
            folder, loss = keep_adapted(loaded, adapted, keep, session.workspace)
        note(
            f"Kept as {folder.name}, branched from {loaded.run}@{loaded.step}; its validation loss is {fixed(loss, 4)}."
        )
    if as_json:
        likely = [{"token": token, "probability": probability} for token, probability in found.next]
        words = [msgspec.to_builtins(word) for word in found.words]
        write_json(
            {
                "suggestion": found.suggestion,
                "phrase": found.phrase,
                "words": words,
                "next": likely,
                "unknown": found.unknown,
                "step": loaded.step,
                **({"learned": msgspec.to_builtins(found.learned)} if found.learned is not None else {}),
            }
        )
        return
    note_unknown(found.unknown)
    click.echo(written(text + found.suggestion))
    rows = [(visible(token), f"{100 * probability:.1f}%") for token, probability in found.next]
    table(("next", "probability"), rows, numbers=("probability",))
    if found.learned is not None:
        note(f"Adapted to the text: {learned_text(found.learned)}.")


def _loaded(session: Session, run_name: str, checkpoint: str) -> SavedRun:
    from rnnplay.inspection.loaded_model import SavedRun

    return SavedRun(find_model(session, run_name), checkpoint, session.workspace)


def _serve(
    session: Session, run_name: str, checkpoint: str, completion: CompletionConfig, adaptation: AdaptationConfig
) -> None:
    import torch

    from rnnplay.cli.support.completion_server import CompletionServer

    torch.set_num_threads(1)  # one token at a time gains nothing from more
    loaded = _loaded(session, run_name, checkpoint)
    server = CompletionServer(loaded, session.workspace, completion, adaptation)
    write_json({"ready": True, "run": loaded.run, "step": loaded.step})
    server.serve(sys.stdin.buffer, write_json)


def visible(token: str) -> str:
    """Makes a token readable in a table."""
    return {" ": f"{SPACE} space", "\n": f"{NEWLINE} newline", "\t": f"{TAB} tab"}.get(token) or written(token)
