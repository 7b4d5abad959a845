"""A prompt that is changed in many ways has the ids that it would have alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Literal

import pytest

from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.text.tokenizers.prompt_text import PromptText

TEXT = "The cat sat,  on\n\n    the  mat.\nAé – “so”\n it's   well-known\n"


@pytest.mark.parametrize("kind", ["char", "byte", "bpe", "word"])
@pytest.mark.parametrize("form", ["none", "nfc"])
@pytest.mark.parametrize("text", [TEXT, " \n = The cat = \n \n It 's . \n"])
def test_ids_and_unknown_pieces_are_those_of_the_whole_text(
    kind: Literal["char", "byte", "bpe", "word"], form: Literal["none", "nfc"], text: str
) -> None:
    tokenizer = build_tokenizer(
        [text * 3],
        kind,
        lowercase=form == "nfc",
        normal_form=form,
        word_boundary="punctuation" if text is TEXT else "whitespace",
        bpe_size=300,
    )
    kept = PromptText(tokenizer)
    draw = random.Random(4)
    text = ""
    pieces = [
        "T",
        "he ",
        "cat",
        "\n",
        " ",
        "    ",
        "e\u0301",
        "\u0301",
        "Zz",
        "\r\n",
        "猫",
        "Σ",
        TEXT,
        "\n\n",
        "<unk>",
        "'",
    ]
    for _ in range(120):
        at = draw.choice([len(text), len(text), draw.randrange(len(text) + 1)])
        gone = draw.choice([0, 0, 0, 1, 3, 40])
        text = text[:at] + draw.choice(pieces) + text[at + gone :]
        assert kept.encode(text).tolist() == tokenizer.encode(text).tolist(), repr(text)
        assert kept.unknown_in(text) == tokenizer.unknown_in(text), repr(text)


def test_a_key_in_a_long_text_encodes_its_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = build_tokenizer([TEXT], "word")
    kept = PromptText(tokenizer)
    text = TEXT * 500
    kept.encode(text)
    kept.unknown_in(text)
    seen: list[str] = []
    encode, unknown_in = tokenizer.encode, tokenizer.unknown_in

    def noted(part: str, real: Callable[[str], Any]) -> Any:
        seen.append(part)
        return real(part)

    monkeypatch.setattr(tokenizer, "encode", lambda part: noted(part, encode))
    monkeypatch.setattr(tokenizer, "unknown_in", lambda part: noted(part, unknown_in))
    kept.encode(text + "ca")
    kept.unknown_in(text + "ca")
    assert seen == ["\nca", "ca"], "and the newline before it, by which spaces are judged"
