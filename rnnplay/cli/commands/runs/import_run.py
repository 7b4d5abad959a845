"""`rnnplay import`: makes a run of the weights of a plain PyTorch model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from rnnplay.cli.support.console import builtins, model_name, note, pairs, write_json
from rnnplay.cli.support.session import Session, json_option, new_folder, pass_session, workspace_option
from rnnplay.cli.support.settings import lasting_corpus
from rnnplay.cli.support.working import working
from rnnplay.common.formatting import fixed, unknown_warning
from rnnplay.config import RunConfig, TokenKind
from rnnplay.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder

PARTS = ("embedding.weight", "output.weight", "output.bias")


@click.command("import", short_help="Make a run of a PyTorch model's weights.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--vocabulary",
    metavar="FILE.json",
    type=click.Path(path_type=Path),
    help="The model's tokens: a JSON list, an object {token: id} or {id: token}, a run's vocabulary.json, or of byte "
    "pairs the tokenizer.json. Not needed for bytes whose ids are their numbers.",
)
@click.option("--run", "run_name", metavar="NAME", help="The name of the run.  [default: derived from the model]")
@click.option(
    "--corpus",
    metavar="NAME|PATH",
    default="tales",
    help="The text to evaluate and inspect the model on, best the one that it was trained on.  [default: tales]",
)
@click.option(
    "--nonlinearity",
    type=click.Choice(["tanh", "relu"]),
    help="The nonlinearity of a plain nn.RNN, which its weights do not tell.  [default: tanh]",
)
@click.option(
    "--tokens", type=click.Choice(get_args(TokenKind)), help="What one token is.  [default: guessed from the tokens]"
)
@click.option(
    "--tensor",
    "tensors",
    metavar="PART=NAME",
    multiple=True,
    help="Which tensor is embedding.weight, output.weight or output.bias, where names do not tell; once for each.",
)
@click.option("--leave-out", is_flag=True, help="Leave out tokens that no text can have as rnnplay splits it.")
@workspace_option
@json_option
@pass_session
def command(
    session: Session,
    file: Path,
    vocabulary: Path | None,
    run_name: str | None,
    corpus: str,
    nonlinearity: Literal["tanh", "relu"] | None,
    tokens: TokenKind | None,
    tensors: tuple[str, ...],
    leave_out: bool,
    as_json: bool,
) -> None:
    """Make a run from the weights in FILE, so that they can be prompted, evaluated, inspected and branched from.

    FILE has the tensors of an embedding, an nn.RNN, nn.GRU or nn.LSTM and a linear output: a safetensors file, or a
    state_dict that torch.save wrote. Cell and sizes follow from the shapes, and the parts from their names, such as
    embedding.weight, rnn.weight_ih_l0 and output.weight. Nothing that a pickle holds is run.
    """
    from rnnplay.experiments.importing.imported_run import Import, import_model

    named = _named(tensors)
    if run_name is not None:
        new_folder(run_name, RunConfig(), session.workspace)  # a taken name is refused before any work
    workspace = session.workspace.create()
    wanted = Import(file, vocabulary, lasting_corpus(corpus, workspace), nonlinearity, tokens, named, leave_out)

    def name(config: RunConfig) -> RunFolder:
        return new_folder(run_name, config, workspace)

    try:
        with working("importing and validating the model"):
            folder, done = import_model(wanted, name, workspace)
    except ConfigError as error:
        raise InputError(f"The model cannot be a run: {error}") from error
    left_out = done.vocabulary.left_out
    if as_json:
        write_json(
            {
                "run": folder.name,
                "path": str(folder.path),
                "model": model_name(done.config),
                "parameters": done.parameters,
                "vocabulary": done.vocabulary.tokenizer.size,
                "left_out": left_out,
                "notes": done.notes,
                "corpus": done.config.corpus,
                "validation": builtins(done.validation),
            }
        )
        return
    found = done.validation
    pairs(
        [
            ("run", folder.name),
            ("model", f"{model_name(done.config)}, {done.parameters:,} parameters"),
            ("tokens", f"{done.vocabulary.tokenizer.size:,}, {done.vocabulary.tokenizer.kind}"),
            *(("note", one) for one in done.notes),
            *([("left out", ", ".join(map(repr, left_out[:12])))] if left_out else []),
            ("on", f"{done.config.corpus}, validation"),
            ("loss", f"{fixed(found.loss, 4)} nats per token"),
            ("perplexity", fixed(found.perplexity, 3)),
            ("bits per character", fixed(found.bits_per_character, 4)),
        ]
    )
    if warning := unknown_warning(found.unknown_fraction, f"{done.config.corpus}, validation"):
        note(f"Warning: {warning}")
    click.echo(f"\nWrite with it: {workspace.command('generate', workspace.run_argument(folder.path))}")


def _named(given: tuple[str, ...]) -> dict[str, str]:
    """The names given with --tensor, by part."""
    named: dict[str, str] = {}
    for one in given:
        part, equals, tensor = one.partition("=")
        if part not in PARTS or not equals or not tensor:
            raise InputError(f"--tensor is PART=NAME with one of {', '.join(PARTS)}; got {one[:80]!r}.")
        named[part] = tensor
    return named
