"""`rnnplay generate`: writes text with a trained model."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import TextOut, builtins, note, note_unknown, write_json
from rnnplay.cli.support.options import KnobCommand, given, knob_options
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
from rnnplay.config import SamplingConfig
from rnnplay.errors import InputError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder


@click.command("generate", cls=KnobCommand, short_help="Write text with a trained model.")
@click.argument("run_name", metavar="RUN")
@click.option(
    "--prompt",
    metavar="TEXT|-",
    help="The text to continue; - reads standard input.  [default: none, as at the start of a line]",
)
@prompt_file_option
@click.option("--greedy", is_flag=True, help="Always take the most probable token, as with --temperature 0.")
@checkpoint_option
@workspace_option
@json_option
@knob_options(SamplingConfig)
@pass_session
def command(
    session: Session,
    /,
    run_name: str,
    prompt: str | None,
    prompt_file: Path | None,
    greedy: bool,
    checkpoint: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Write text with the model of RUN, a run's name or the path of its folder.

    Prints the prompt, the continuation as it is sampled, and a final newline; in a terminal also the seed, if it was
    random. With --json, prints one object at the end: its "text" is the continuation alone, and its "seed" reproduces
    it. A prompt from a file or from standard input loses its final newline.
    """
    sampling = sampling_config(given(values), greedy)
    run = find_model(session, run_name)
    prompt = prompt_text(prompt, prompt_file)

    with working("loading the model"):
        from rnnplay.model.generation.sampling import generate
        from rnnplay.training.checkpointing.checkpoints import load_model, naming_another

        model, tokenizer, step = load_model(run, checkpoint)
    note_unknown(tokenizer.unknown_in(prompt))
    pieces = generate(model, tokenizer, prompt, sampling)
    with naming_another(run, step):
        _write(run, step, prompt, pieces, sampling, as_json)
    if sampling.temperature and not (values["seed"] or as_json) and sys.stdout.isatty():
        note(f"--seed {sampling.seed} writes this again.")


def _write(
    run: RunFolder, step: int, prompt: str, pieces: Iterable[str], sampling: SamplingConfig, as_json: bool
) -> None:
    if as_json:
        write_json(
            {
                "run": run.name,
                "step": step,
                "prompt": prompt,
                "text": "".join(pieces),
                "sampling": builtins(sampling),
            }
        )
        return
    out = TextOut()
    try:
        out.write(prompt)
        for piece in pieces:
            out.write(piece)
    finally:
        out.end()


def sampling_config(values: dict[str, Any], greedy: bool) -> SamplingConfig:
    """Returns the settings given, with a random seed if none is, so that it can be reported. Raises InputError."""
    if greedy:
        if values.get("temperature"):
            raise InputError("--greedy and --temperature exclude each other; leave one out.")
        values = {**values, "temperature": 0.0}
    return SamplingConfig(**values).seeded
