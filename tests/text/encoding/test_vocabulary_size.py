"""The vocabulary that the form counts is the one that a run will have."""

from __future__ import annotations

from typing import Any

import pytest

from rnnplay.config import RunConfig, with_values
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding import vocabulary_size as counting
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.encoding.vocabulary_size import vocabulary_size
from rnnplay.workspace import Workspace


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"lowercase": True},
        {"min_count": 3},
        {"tokens": "word"},
        {"tokens": "word", "max_vocabulary": 12},
        {"tokens": "word", "word_boundary": "whitespace"},
        {"feed": "lines"},
    ],
)
def test_it_is_the_vocabulary_of_the_run(workspace: Workspace, values: dict[str, Any]) -> None:
    text = "".join(f"The old cap number {number} lay by the door, and nobody saw it.\n" for number in range(400))
    (workspace.corpora / "caps.txt").write_text(text, encoding="utf-8")
    config = with_values(RunConfig(corpus="caps"), values)
    encoded = encode_corpus(find_corpus("caps", workspace), config, workspace.cache)
    assert vocabulary_size(config, workspace) == encoded.tokenizer.size


def test_what_cannot_be_counted_at_once_is_not_counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vocabulary_size(RunConfig(corpus="nowhere"), workspace) is None
    assert vocabulary_size(RunConfig(corpus="python-source"), workspace) is None, "it is made when it is used"
    (workspace.corpora / "caps.txt").write_text("The old cap.\n" * 400, encoding="utf-8")
    monkeypatch.setitem(counting.MOST_BYTES, "char", 100)
    assert vocabulary_size(RunConfig(corpus="caps"), workspace) is None


def test_a_text_that_was_written_anew_is_counted_anew(workspace: Workspace) -> None:
    for text in ("abc\n", "abcde\n"):
        (workspace.corpora / "letters.txt").write_text(text * 300, encoding="utf-8")
        assert vocabulary_size(RunConfig(corpus="letters"), workspace) == len(set(text)) + 1
