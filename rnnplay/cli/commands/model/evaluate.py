"""`rnnplay eval`: measures how well a run's model predicts a text that it was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from rnnplay.cli.support.console import note, note_idle, pairs, table, write_json
from rnnplay.cli.support.options import KnobCommand, WholeNumber, given, knob_options
from rnnplay.cli.support.session import (
    Session,
    checkpoint_option,
    find_model,
    json_option,
    pass_session,
    workspace_option,
)
from rnnplay.cli.support.text_input import corpus_from_stdin
from rnnplay.cli.support.working import working
from rnnplay.common.formatting import fixed, fraction_of_tokens, unknown_warning
from rnnplay.config import knobs
from rnnplay.errors import InputError
from rnnplay.generation_config import AdaptationConfig, CompletionConfig

if TYPE_CHECKING:
    from rnnplay.config import RunConfig
    from rnnplay.runs.folder import RunFolder
    from rnnplay.text.encoding.encoded import EncodedCorpus
    from rnnplay.text.tokenizers.build import Tokenizer
    from rnnplay.training.evaluation import Evaluation

WINDOWS = 2000

CHARACTERS = 12_000
"""Written to count keystrokes, unless told otherwise."""

MOST_DECODED = 5_000_000
"""Tokens of a part up to which its words are counted."""
ONE_SEQUENCE = 100_000
"""Most tokens read as one sequence, which is slow; in longer texts 8 beginnings cost under 0.001 nats per token."""


@click.command("eval", cls=KnobCommand, short_help="Loss and perplexity of a run on held-out text.")
@click.argument("run_name", metavar="RUN")
@click.option("--corpus", metavar="NAME|PATH|-", help="A text other than the run's own; - reads standard input.")
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default=None,
    help="Which part of the text.  [default: validation]",
)
@click.option(
    "--by-distance",
    is_flag=True,
    help="For a run on recall, brackets, agreement or copy: accuracy by the distance back to the answer.",
)
@click.option(
    "--windows",
    metavar="N",
    type=WholeNumber(1, 1_000_000),
    help="Read windows of N tokens instead, each from an empty context, as for nanoGPT's figures.",
)
@click.option(
    "--window-count",
    metavar="M",
    type=WholeNumber(0, 10_000_000),
    help="With --windows: their number, at random positions; 0: one at every position.  [default: 2000]",
)
@click.option(
    "--seed",
    metavar="N",
    type=WholeNumber(0, 2**31 - 1),
    help="With --windows: the seed of the positions.  [default: 1]",
)
@click.option(
    "--tokens",
    metavar="N",
    type=WholeNumber(1, 10**12),
    help="With --dynamic or --cache: read only the first N tokens.  [default: all]",
)
@click.option(
    "--keystrokes",
    is_flag=True,
    help="How many keystrokes the completion would save a user who writes the text of the split.",
)
@click.option(
    "--characters",
    metavar="N",
    type=WholeNumber(1, 10_000_000),
    help="With --keystrokes: how much of the split is written, from its beginning.  [default: 12000]",
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
    corpus: str | None,
    split: str | None,
    by_distance: bool,
    windows: int | None,
    window_count: int | None,
    seed: int | None,
    tokens: int | None,
    keystrokes: bool,
    characters: int | None,
    checkpoint: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Compute loss (nats per token), perplexity and bits per character of RUN's model on the whole of a split.

    The text is read in float32 with the hidden state carried along: up to 100,000 tokens as one sequence, a longer text
    in 8 parts side by side, as in validation during training. The first token of each part is predicted without any
    context, so the numbers may differ slightly.

    With --windows every window begins with an empty context, so its first tokens are hard to predict and the loss is
    higher: compare it only with figures computed the same way.

    The perplexity per word is what published figures for words are, whatever the tokens here: of all nats, divided by
    the words between spaces, with a newline as one, too.

    Whatever the vocabulary has no token for is read as <unk>. Loss and perplexity count it as a word like any other;
    bits per character count 8 bits for each byte that it hides.

    With --dynamic, --cache or both the model adapts to the text that it reads; the loss without is printed beside it.
    Each token is predicted before anything is learned from it, and the run stays as it is.

    With --keystrokes a user is imagined who writes the first characters of the split, takes each suggestion that is
    right with one key and types the others. 1 - keys / characters is saved. It takes some milliseconds a character.
    With --dynamic or --cache the model adapts to what the user has written.
    """
    chosen = given(values)
    adapting = {name: chosen[name] for name in knobs(AdaptationConfig) if name in chosen}
    offering = {name: chosen[name] for name in knobs(CompletionConfig) if name in chosen}
    adaptation = AdaptationConfig(**adapting)
    if not adaptation.adapts and (tokens is not None or adapting):
        raise InputError("--tokens and the settings of an adaptation need --dynamic or --cache; give one of them, too.")
    note_idle(adapting, [adaptation])
    if adaptation.adapts and (windows is not None or by_distance):
        raise InputError("--dynamic and --cache read a text as one sequence; leave --windows and --by-distance out.")
    if keystrokes and (windows is not None or by_distance or tokens is not None):
        raise InputError(
            "--keystrokes measures the completion alone; leave --windows, --by-distance and --tokens out (--characters "
            "says how much is written)."
        )
    if offering and not keystrokes:
        raise InputError(f"{knobs(CompletionConfig)[next(iter(offering))].option} needs --keystrokes; give that, too.")
    if characters is not None and not keystrokes:
        raise InputError("--characters needs --keystrokes; give that, too.")
    if windows is None and (window_count is not None or seed is not None):
        raise InputError("--window-count and --seed need --windows N; give that, too.")
    run = find_model(session, run_name)
    if by_distance:
        if corpus is not None or split is not None or windows is not None:
            raise InputError("--by-distance generates its own text; leave --corpus, --split and --windows out.")
        _by_distance(session, run, checkpoint, as_json)
        return
    split = split or "validation"
    info, tokenizer = run.info(), run.tokenizer()
    config = info.config
    if corpus is not None:
        corpus = corpus_from_stdin(session.workspace) if corpus == "-" else corpus
        # A single token is enough, as nothing is trained on this text.
        config = msgspec.structs.replace(config, corpus=corpus, batch_size=1, bptt=1)
    run.checkpoint(checkpoint)  # reports a wrong name before the text is read

    with working("encoding the text"):
        encoded = _encoded(session, config, corpus is None, info.corpus_sha256, tokenizer)
    part = encoded.test if split == "test" else encoded.validation
    if corpus is None and encoded.sha256 != info.corpus_sha256:
        note(f"Note: {encoded.name} has changed since {run.name} was trained on it.")

    if keystrokes:
        from rnnplay.cli.support.keystrokes import report_keystrokes
        from rnnplay.inspection.loaded_model import SavedRun

        loaded = SavedRun(run, checkpoint, session.workspace)
        offered = CompletionConfig(**{"lines": True, **offering})
        report_keystrokes(loaded, encoded.name, split, part, characters or CHARACTERS, offered, adaptation, as_json)
        return

    if windows is not None and encoded.feed == "lines":
        raise InputError(
            f"{run.name} reads each line from an empty context already; leave --windows out, or give --corpus a text "
            "that is a stream."
        )

    with working("loading the model"):
        from rnnplay.training.checkpointing.checkpoints import load_model
        from rnnplay.training.evaluation import evaluate, evaluate_adaptively, evaluate_windows, per_word
        from rnnplay.training.threads.free_cores import use_free_cores

        use_free_cores()
        model, tokenizer, step = load_model(run, checkpoint)
    measured: dict[str, object] = {}
    unadapted: Evaluation | None = None
    if adaptation.adapts:
        if encoded.feed == "lines":
            raise InputError(f"{run.name} reads each line from an empty context; --dynamic and --cache need a stream.")
        ways = " and ".join(name for name, on in _ways(adaptation) if on)
        with working("adapting to the text"):
            unadapted, found = evaluate_adaptively(model, part, encoded.train, adaptation, tokens or 0)
        measure = f"as one sequence, adapted to by {ways}"
        measured = {"unadapted_loss": unadapted.loss, "adaptation": msgspec.to_builtins(adaptation)}
    elif windows is not None:
        count, seed = WINDOWS if window_count is None else window_count, 1 if seed is None else seed
        with working("evaluating"):
            found, read = evaluate_windows(model, part, tokenizer, windows, count, seed)
        positions = f"at random positions (seed {seed})" if count else "one at every position"
        measure = f"{read:,} windows of {windows:,} tokens, {positions}, each from an empty context"
        measured = {"windows": windows, "window_count": read, "seed": seed if count else None}
    else:
        rows = 1 if encoded.feed == "stream" and part.tokens <= ONE_SEQUENCE else 0
        with working("evaluating"):
            found = evaluate(model, part, encoded.feed, tokenizer, rows=rows)
        measure = (
            "the whole part, hidden state carried along"
            if encoded.feed == "stream"
            else "every line, from a zero state"
        )
    characters = round(found.characters)
    per_words: list[tuple[str, str]] = []
    if windows is None and tokens is None and part.tokens <= MOST_DECODED:
        of_words, words = per_word(found, part, tokenizer)
        measured |= {"word_perplexity": of_words, "words": words}
        per_words = [("per word", f"{fixed(of_words, 3)} ({words:,} words between spaces, newlines counted)")]
    if warning := unknown_warning(found.unknown_fraction, f"{encoded.name}, {split}"):
        note(f"Warning: {warning}")
    if as_json:
        write_json(
            {
                "run": run.name,
                "step": step,
                "corpus": encoded.name,
                "split": split,
                "loss": found.loss,
                "perplexity": found.perplexity,
                "bits_per_character": found.bits_per_character,
                "tokens": found.tokens,
                "characters": characters,
                "unknown_fraction": found.unknown_fraction,
                **measured,
            }
        )
        return
    pairs(
        [
            ("run", f"{run.name}, step {step:,}"),
            ("text", f"{encoded.name}, {split}: {found.tokens:,} tokens, {characters:,} characters"),
            ("read", measure),
            ("<unk>", fraction_of_tokens(found.unknown_fraction)),
            *([("without", f"{fixed(unadapted.loss, 4)} nats per token")] if unadapted is not None else []),
            ("loss", f"{fixed(found.loss, 4)} nats per token"),
            ("perplexity", fixed(found.perplexity, 3)),
            *per_words,
            ("bits per character", fixed(found.bits_per_character, 4)),
        ]
    )


def _ways(adaptation: AdaptationConfig) -> tuple[tuple[str, bool], ...]:
    return ("dynamic evaluation", adaptation.dynamic), ("a cache", adaptation.cache)


def _by_distance(session: Session, run: RunFolder, checkpoint: str, as_json: bool) -> None:
    with working("evaluating"):
        from rnnplay.inspection.distances import distance_accuracy, require_dependency_kind
        from rnnplay.training.checkpointing.checkpoints import load_model
        from rnnplay.training.threads.free_cores import use_free_cores

        use_free_cores()
        kind = require_dependency_kind(run.info().config, session.workspace)
        model, tokenizer, step = load_model(run, checkpoint)
        found = distance_accuracy(model, tokenizer, kind, run.name, step)
    if as_json:
        write_json(found)
        return
    rows = []
    for at, distance in enumerate(found.distances):
        accuracy = found.accuracy[at]
        rows.append(
            (
                f"{distance}" + ("" if distance <= found.trained else " *"),
                f"{accuracy:.2f}",
                f"{found.low[at]:.2f} to {found.high[at]:.2f}",
                f"{found.count[at]:,}",
                accuracy_bar(accuracy, found.chance),
            )
        )
    table(("distance", "accuracy", "95% interval", "asked", ""), rows, ("distance", "accuracy", "asked"))
    note(
        f"{run.name}, step {step:,}, on {kind}: chance is {found.chance:.3f} (the line in the bars); "
        f"* beyond the distances of its training text (at most {found.trained})."
    )


def accuracy_bar(accuracy: float, chance: float) -> str:
    """Draws a bar for an accuracy from 0 to 1, with a line at chance."""
    width = 30
    full = round(accuracy * width)
    at = min(width - 1, round(chance * width))
    return "".join("│" if cell == at else "█" if cell < full else "·" for cell in range(width))


def _encoded(session: Session, config: RunConfig, own: bool, sha256: str, tokenizer: Tokenizer) -> EncodedCorpus:
    """Encodes the text named in `config`; the run's `own` comes from the cache if it is missing."""
    from rnnplay.text.corpora.catalogue import find_corpus
    from rnnplay.text.encoding.encoded import encode_again, encode_corpus

    workspace = session.workspace.for_reading()
    try:
        text = find_corpus(config.corpus, workspace)
        return encode_corpus(text, config, workspace.cache, tokenizer=tokenizer)
    except InputError:
        if not own:
            raise
        return encode_again(config, sha256, tokenizer, workspace)
