"""Properties of a text are what one reads off it, for characters and for words."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rnnplay.inspection.properties import correlation, pieces, property_values
from rnnplay.inspection.results import Property
from tests.inspection.small import TALE, tokens_of

TEXT = 'I am.\n"No 42!" don\'t\n'
EXPECTED: dict[Property, str] = {
    "quotes": "000000111111100000000",
    "word start": "101000010010000100000",
    "space": "010001000100001000001",
    "capital": "100000010000000000000",
    "digit": "000000000011000000000",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_character_has_its_property(name: Property) -> None:
    assert "".join(str(int(value)) for value in property_values(name, list(TEXT))) == EXPECTED[name]


def test_the_place_in_the_line_is_counted_from_its_beginning() -> None:
    assert property_values("line position", list("ab\n\ncd")).tolist() == [1, 2, 0, 0, 1, 2]
    assert property_values("line position", ["ab", " cd", "\n", "ef"]).tolist() == [2, 5, 0, 2]


def test_quotations_of_all_kinds_end_at_the_latest_with_the_paragraph() -> None:
    assert property_values("quotes", list("“a”«b»")).tolist() == [1, 1, 0, 1, 1, 0]
    assert property_values("quotes", list('"a\nb\n\nc')).tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_words_are_pieces_with_their_spaces() -> None:
    tokenizer = tokens_of("word")
    ids = tokenizer.encode('The cat xyzzy, "I').tolist()
    texts = pieces(tokenizer, ids, tokenizer.newline)
    assert texts[0] == "The"
    assert texts[1] == " cat"
    assert "" in texts  # what the model does not know
    starts = property_values("word start", texts)
    assert starts[:2].tolist() == [1, 1]
    assert property_values("quotes", texts)[-1] == 1
    whole = tokenizer.encode(TALE).tolist()
    assert "".join(pieces(tokenizer, whole)) == TALE


def test_correlation_is_pearsons_and_zero_where_nothing_varies() -> None:
    draw = np.random.default_rng(1)
    values, wanted = draw.normal(size=(5, 40)), draw.normal(size=40)
    np.testing.assert_allclose(correlation(values, wanted), [np.corrcoef(row, wanted)[0, 1] for row in values])
    assert correlation(np.ones((2, 4)), np.arange(4.0)).tolist() == [0, 0]
    assert correlation(values[:, :4], np.ones(4)).tolist() == [0] * 5
    assert correlation(np.full((1, 4), np.nan), np.arange(4.0)).tolist() == [0]


def test_no_torch_is_needed() -> None:
    code = "import sys, rnnplay.inspection.properties; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
