"""Generates text from a model: samples, and completions of what a user types.

Everything here leaves the model unchanged: no gradients, the mode (training or not) restored before anything is
returned, torch's global random state untouched. So it may run between two training steps in the same thread, and a
sample may extend over many steps, each token from the weights at that moment. All numbers are float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rnnplay.config import SamplingConfig
from rnnplay.errors import CheckpointError, RnnplayError
from rnnplay.knob_texts import stop_strings
from rnnplay.model import cells
from rnnplay.model.generation.endings import before_stop, to_sentence_end
from rnnplay.model.generation.filters import drawing_probabilities
from rnnplay.model.language_model import LanguageModel, State
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.text.tokenizers.preparing import prepared
from rnnplay.text.tokenizers.utf8 import split_unfinished

UNKNOWN_ID = 0
"""<unk> in every vocabulary; never drawn."""

PROMPT_TOKENS = 1000
"""Only this many of a longer prompt's last tokens are read."""

SUGGESTION_TOKENS = 24


def generate_ids(
    model: LanguageModel,
    prompt: Sequence[int],
    sampling: SamplingConfig,
    restart: int | None = None,
    length: int | None = None,
) -> Iterator[int]:
    """Draws `length` ids (by default `sampling.length`), one after another, after those of `prompt` (at least one).

    `restart`: an id before which the state is set to zero, as it was in training on lines.
    Raises RnnplayError if the model returns NaN or infinities, or its vocabulary has only <unk>.
    """
    generator = torch.Generator()
    if sampling.seed:
        generator.manual_seed(sampling.seed)
    else:
        generator.seed()
    length = sampling.length if length is None else length
    recent = list(prompt[-sampling.repetition_window :])
    logits, state = _read(model, prompt)
    for count in range(length):
        token = _draw(logits, sampling, generator, recent)
        yield token
        recent = [*recent[1 - sampling.repetition_window :], token] if sampling.repetition_window > 1 else [token]
        if count + 1 < length:
            logits, state = _step(model, token, model.zero_state(1) if token == restart else state)


def generate(model: LanguageModel, tokenizer: Tokenizer, prompt: str, sampling: SamplingConfig) -> Iterator[str]:
    """Continues `prompt`, yielding text as it is drawn; `prompt` and the pieces together read as one text.

    The model first reads a newline if it has one, as texts begin after one. The text ends before the first of the stop
    strings, and with `sampling.whole_sentences` with a sentence, for which up to twice the length is drawn. Raises as
    `generate_ids` does, and ConfigError for stop strings that cannot be read.
    """
    context = _prompt_ids(model, tokenizer, prompt)
    writer = _Writer(tokenizer, context, prompt)
    restart = tokenizer.newline if model.config.feed == "lines" else None
    length = sampling.length * (2 if sampling.whole_sentences else 1)
    pieces: Iterator[str] = map(writer.write, generate_ids(model, context, sampling, restart, length))
    if sampling.whole_sentences:
        pieces = to_sentence_end(pieces, sampling.length)
    return filter(None, before_stop(pieces, stop_strings(sampling.stop)))


def generate_together(
    model: LanguageModel, tokenizer: Tokenizer, prompts: Sequence[str], sampling: SamplingConfig
) -> list[str]:
    """Continues every one of `prompts`, side by side, which takes little longer than one of them.

    The k-th continuation, counted from 0, is what `generate` gives for that prompt with k added to the seed, but for
    rounding: with the same random numbers, different prompts soon lead to the same text. Stop strings
    and whole sentences are not looked for. Raises as `generate_ids` does.
    """
    contexts = [_prompt_ids(model, tokenizer, prompt) for prompt in prompts]
    writers = [_Writer(tokenizer, ids, prompt) for ids, prompt in zip(contexts, prompts, strict=True)]
    generators = [torch.Generator().manual_seed(sampling.seed + k) for k in range(len(prompts))]
    restart = tokenizer.newline if model.config.feed == "lines" else None
    rows, states = zip(*(_read(model, ids) for ids in contexts), strict=True)
    logits, state = torch.stack(rows), _joined(states)  # (B, V), (L, B, H)
    texts = [""] * len(prompts)
    for count in range(sampling.length):
        tokens = [
            _draw(row, sampling, generator, recent)
            for row, generator, recent in zip(logits, generators, contexts, strict=True)
        ]
        contexts = [[*recent, token] for recent, token in zip(contexts, tokens, strict=True)]
        texts = [text + writer.write(token) for text, writer, token in zip(texts, writers, tokens, strict=True)]
        if count + 1 < sampling.length:
            if restart in tokens:
                keep = torch.tensor([[float(token != restart)] for token in tokens], device=model.device)  # (B, 1)
                state = (state[0] * keep, state[1] * keep) if isinstance(state, tuple) else state * keep
            logits, state = _step_all(model, tokens, state)
    return texts


def _joined(states: Sequence[State]) -> State:
    """Joins states (L, 1, H) to one (L, B, H)."""
    if isinstance(states[0], tuple):
        return torch.cat([state[0] for state in states], 1), torch.cat([state[1] for state in states], 1)
    return torch.cat([state for state in states if isinstance(state, Tensor)], 1)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model's suggestions for continuing a text."""

    suggestion: str
    """What to append: up to the end of the current word, or of the next one. May be empty; contains no newline."""
    next: list[tuple[str, float]]
    """The most probable next tokens as displayed, with their probabilities over the whole vocabulary.

    None if the model gives no finite numbers. Within a word of a word model: words that begin with what was typed.
    """
    unknown: list[str]
    """Pieces of the text that the model reads as <unk>."""
    texts: list[str] = field(default_factory=list)
    """What each of `next` adds to the text; "" for <unk>."""


def complete(
    model: LanguageModel, tokenizer: Tokenizer, text: str, bars: int, hook: cells.LayerHook | None = None
) -> Suggestion:
    """The most probable continuation of `text` up to a word's end, and its `bars` most probable next tokens.

    `hook`: as in cells.step, for a model whose cells are to be changed; the text is then read step by step, slowly.

    The continuation takes the most probable token each time: spaces and punctuation, then one word, at most 24 tokens,
    and ends before a newline. If the text ends within a word, a word model completes it to the most probable word that
    starts like it.
    """
    unknown = tokenizer.unknown_in(text)
    ids = _prompt_ids(model, tokenizer, text)
    beginning = _unfinished_word(tokenizer, text, unknown, ids[-1])
    try:
        if beginning and len(ids) > 1:
            logits, state = _read(model, ids[:-1], hook)
            found = _words_starting_with(tokenizer, beginning, logits)
            if found and found[0][0] != ids[-1]:
                suggestion = tokenizer.tokens[found[0][0]][len(beginning) :]
                bar_list = [(tokenizer.tokens[token], probability) for token, probability in found[:bars]]
                rests = [word[len(beginning) :] for word, _ in bar_list]
                return Suggestion(suggestion, bar_list, [piece for piece in unknown if piece != beginning], rests)
            logits, state = _step(model, ids[-1], state, hook)
        else:
            logits, state = _read(model, ids, hook)
        probabilities, tokens = torch.softmax(logits.double(), dim=0).topk(min(bars, len(logits)))
        candidates = [
            (tokenizer.tokens[token], probability)
            for token, probability in zip(tokens.tolist(), probabilities.tolist(), strict=True)
        ]
        texts = [_Writer(tokenizer, ids, text).write(token) if token != UNKNOWN_ID else "" for token in tokens.tolist()]
        return Suggestion(_to_word_end(model, tokenizer, text, ids, logits, state, hook), candidates, unknown, texts)
    except RnnplayError:  # a diverged model suggests nothing
        return Suggestion("", [], unknown)


def _to_word_end(
    model: LanguageModel,
    tokenizer: Tokenizer,
    text: str,
    ids: Sequence[int],
    logits: Tensor,
    state: State,
    hook: cells.LayerHook | None,
) -> str:
    writer = _Writer(tokenizer, ids, text)
    greedy = SamplingConfig(temperature=0)
    suggestion = ""
    for _ in range(SUGGESTION_TOKENS):
        token = _draw(logits, greedy, None)
        if token == tokenizer.newline:
            break
        suggestion += writer.write(token)
        if tokenizer.kind == "word":
            if tokenizer.is_word_part(token):
                break
        elif (end := _first_word_end(suggestion)) is not None:
            suggestion = suggestion[:end]
            break
        logits, state = _step(model, token, state, hook)
    return suggestion if suggestion.strip() else ""


def _first_word_end(text: str) -> int | None:
    """The index behind the first word of `text`; None if it may go on or there is none."""
    within = False
    for index, character in enumerate(text):
        part = is_word_character(character)
        if within and not part:
            return index
        within = part
    return None


def _unfinished_word(tokenizer: Tokenizer, text: str, unknown: Sequence[str], last: int) -> str:
    """The unfinished word at the end of `text` that a word model could complete, as in the vocabulary; or ""."""
    if tokenizer.kind != "word":
        return ""
    if last != UNKNOWN_ID:
        words = [tokenizer.tokens[last]] if tokenizer.is_word_part(last) else []
    else:
        words = sorted(unknown, key=len, reverse=True)
    text = prepared(text, tokenizer.lowercase, tokenizer.normal_form)
    return next((word for word in words if text.endswith(word)), "")


def _words_starting_with(tokenizer: Tokenizer, beginning: str, logits: Tensor) -> list[tuple[int, float]]:
    """Ids of the words with that `beginning`, the most probable first, with probabilities over the whole vocabulary."""
    ids = [token for token, word in enumerate(tokenizer.tokens) if word.startswith(beginning) and token != UNKNOWN_ID]
    probabilities = torch.softmax(logits.double(), dim=0)[ids].tolist()
    return sorted(zip(ids, probabilities, strict=True), key=lambda found: -found[1])


class _Writer:
    """Converts tokens to text one by one, spacing each by its predecessor."""

    def __init__(self, tokenizer: Tokenizer, context: Sequence[int], prompt: str) -> None:
        self._tokenizer = tokenizer
        self._previous = context[-1]
        self._unfinished = ""
        """The first bytes of a character."""
        # Where the one space that a prompt ends on is not read (`_prompt_ids`), it must not be written twice.
        self._drop_space = ends_on_space(tokenizer, prompt)

    def write(self, token: int) -> str:
        """Returns what `token` adds to the text; "" while a character of several tokens is unfinished."""
        piece, self._unfinished = split_unfinished(
            self._unfinished + self._tokenizer.decode_after(self._previous, token)
        )
        self._previous = token
        if self._drop_space:
            piece = piece.removeprefix(" ")
            self._drop_space = False
        return piece


def _prompt_ids(model: LanguageModel, tokenizer: Tokenizer, prompt: str) -> list[int]:
    """What the model reads before it writes: a newline if it has one, and the prompt; at least one id.

    A model of lines has seen nothing before a line's own beginning, so it is given the last line only.
    """
    if ends_on_space(tokenizer, prompt):
        prompt = prompt[:-1]
    ids = [] if tokenizer.newline is None else [tokenizer.newline]
    if model.config.feed == "lines" and ids:
        prompt = prompt.rpartition("\n")[2]
    ids += tokenizer.encode(prompt).tolist()
    return ids[-PROMPT_TOKENS:] or tokenizer.encode(" ").tolist() or [UNKNOWN_ID]


def ends_on_space(tokenizer: Tokenizer, prompt: str) -> bool:
    """Whether `prompt` ends on a space that the model should not read."""
    # For a word model a space between two words is not a token; one at the end would be read as a second space. For
    # byte pairs it is part of the next word's token, and alone a token that words seldom follow.
    return (
        tokenizer.kind in ("word", "bpe") and prompt.endswith(" ") and bool(prompt[:-1].strip()) and prompt[-2] != " "
    )


def _draw(
    logits: Tensor, sampling: SamplingConfig, generator: torch.Generator | None, recent: Sequence[int] = ()
) -> int:
    logits = logits.clone()
    logits[UNKNOWN_ID] = -torch.inf
    if len(logits) == 1:
        raise RnnplayError("The model's vocabulary has no token but <unk>; train it with a lower min_count.")
    probabilities = torch.from_numpy(drawing_probabilities(logits.numpy(), sampling, recent))
    if sampling.temperature == 0:
        return int(probabilities.argmax())
    return int(torch.multinomial(probabilities, 1, generator=generator))


def _read(model: LanguageModel, ids: Sequence[int], hook: cells.LayerHook | None = None) -> tuple[Tensor, State]:
    """Returns the logits (V,) after `ids`, on the CPU, and the state."""
    if hook is not None:
        with torch.inference_mode(), torch.autocast(model.device.type, enabled=False):
            embedded = model.embedding(torch.tensor([ids], device=model.device))  # (1, T, E)
            hidden, state, _ = cells.unroll(model.rnn, embedded, model.zero_state(1), hook)
            return _checked(model.logits(hidden[0, -1])), state
    mode = model.training
    model.eval()  # no dropout between layers
    try:
        with torch.inference_mode(), torch.autocast(model.device.type, enabled=False):
            embedded = model.embedding(torch.tensor([ids], device=model.device))  # (1, T, E)
            hidden, state = model.rnn(embedded, model.zero_state(1))  # (1, T, H), and (L, 1, H) or two of them
            return _checked(model.logits(hidden[0, -1:])[0]), state  # the last timestep's logits only
    finally:
        model.train(mode)


def _step(model: LanguageModel, token: int, state: State, hook: cells.LayerHook | None = None) -> tuple[Tensor, State]:
    """Returns the logits (V,) after one more token, and the new state."""
    logits, state = _step_all(model, [token], state, hook)
    return logits[0], state


def _step_all(
    model: LanguageModel, tokens: Sequence[int], state: State, hook: cells.LayerHook | None = None
) -> tuple[Tensor, State]:
    """Returns the logits (B, V) after one more token of each of B sequences, and the new state (L, B, H)."""
    # torch.nn's layers repack their weights at every call; over one timestep that costs more than the timestep.
    with torch.inference_mode(), torch.autocast(model.device.type, enabled=False):
        x = model.embedding(torch.tensor(tokens, device=model.device))  # (B, E)
        steps, state = cells.step(model.rnn, x, state, hook)
        return _checked(model.logits(steps[-1].hidden)), state


def _checked(logits: Tensor) -> Tensor:
    logits = logits.cpu()
    if not bool(torch.isfinite(logits).all()):
        raise CheckpointError(
            "The model's numbers are no longer finite, as its training diverged; take an earlier checkpoint.", None
        )
    return logits
