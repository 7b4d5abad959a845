"""Figures for a text of which much is `<unk>`: said, warned of, and none in bits per character that flatters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.runs.metrics.records import Notice, Record, Validation
from rnnplay.text.encoding.encoded import EncodedSplit
from rnnplay.training.evaluation import evaluate
from tests.training.world import World, run_to_end

OLD = b'{"type":"validation","step":3,"loss":1.0,"perplexity":2.7,"bits_per_character":1.4,"best":true}\n'


def test_bits_per_character_count_what_is_hidden_as_not_predicted(world: World) -> None:
    """As computed from the text itself: 8 bits for each byte of a word that the vocabulary leaves out."""
    config = world.config(steps=40, tokens="word", split="60/20/20", max_vocabulary=8)
    run_to_end(world.trainer(config))
    record = next(record for record in world.emitted if isinstance(record, Validation))
    encoded = world.encode(config)
    ids = encoded.validation.ids.tolist()
    text = world.text.read_text(encoding="utf-8")
    begin, end = (text.index("\n", int(len(text) * share)) + 1 for share in (0.6, 0.8))
    words = text[begin:end].replace(".", " ").split()
    hidden = sum(len(word) for word in words if word not in encoded.tokenizer.tokens)
    assert hidden == encoded.validation.hidden > 0
    assert record.unknown_fraction == pytest.approx(ids[1:].count(0) / (len(ids) - 1))
    nats = record.loss * (len(ids) - 1)
    # The first token is no target: whether it is hidden or not, the others are counted.
    counted = hidden * ids[1:].count(0) / ids.count(0)
    assert record.bits_per_character == pytest.approx((nats / math.log(2) + 8 * counted) / (end - begin), rel=1e-6)
    assert record.perplexity == math.exp(record.loss)


def test_padding_is_not_unknown(world: World) -> None:
    """Rows that have ended are masked with 0, which is also the number of `<unk>`."""
    config = world.config(steps=1, feed="lines", split="60/20/20")
    run_to_end(world.trainer(config))
    record = next(record for record in world.emitted if isinstance(record, Validation))
    assert record.unknown_fraction == 0


def test_an_encoded_text_without_counts_is_taken_at_its_average(world: World) -> None:
    """As of an encoded copy that an earlier version left."""
    trainer = world.trainer(world.config())
    known = world.encode(world.config()).validation
    ids = np.array(known.ids)
    ids[::2] = 0
    found = evaluate(trainer.model, EncodedSplit(ids, len(ids), None), "stream", trainer.tokenizer)
    assert found.unknown_fraction == pytest.approx(0.5, abs=0.01)
    assert found.bits_per_character == pytest.approx(found.loss / math.log(2) + 8 * found.unknown_fraction, rel=0.01)


@pytest.mark.parametrize("much", [True, False])
def test_a_run_says_at_its_start_that_much_is_unknown(world: World, much: bool) -> None:
    """Once, with what to do, and run.json has it for lists; a run that is resumed does not repeat it."""
    config = world.config(tokens="word", max_vocabulary=8 if much else 0)
    run_to_end(world.trainer(config))
    said = [record.message for record in world.emitted if isinstance(record, Notice)]
    assert len(said) == much
    if much:
        assert "<unk> in the training text" in said[0] and said[0].endswith("or a larger max_vocabulary.")
    fraction = world.folder().info().unknown_fraction
    assert fraction is not None and (fraction > 0.2) is much
    world.emitted.clear()
    world.resume(world.config(tokens="word", max_vocabulary=8 if much else 0, steps=25))
    assert not [record for record in world.emitted if isinstance(record, Notice)]


def test_records_of_earlier_versions_stay_readable() -> None:
    record = decode_line(OLD, Record)
    assert isinstance(record, Validation) and record.best and record.unknown_fraction is None
    again = decode_line(encode_line(record), Record)
    assert again == record
