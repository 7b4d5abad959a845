"""The prompts of the sample log, as they are typed in one line; several texts as one corpus."""

from __future__ import annotations

import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError
from rnnplay.knob_texts import corpus_label, corpus_parts, leads_elsewhere, sample_prompts


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("auto", None),
        ("off", ()),
        ("off|", ("off",)),
        ("Once upon |He said:\\n", ("Once upon ", "He said:\n")),
        ("a\\|b|c\\\\|d", ("a|b", "c\\", "d")),
        ("\\\\n", ("\\n",)),
        ("||a||", ("a",)),
        ("前|後", ("前", "後")),
    ],
)
def test_prompts_are_separated_by_bars(text: str, prompts: tuple[str, ...] | None) -> None:
    assert sample_prompts(text) == prompts
    assert RunConfig(sample_prompts=text).sample_prompts == text


@pytest.mark.parametrize("text", ["", "|", "a\\", "a\\d", "a" * 201, "a|b|c|d|e|f|g|h|i", "\x1b[2J", "a\nb"])
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="sample_prompts must be auto, off, or prompts separated") as error:
        RunConfig(sample_prompts=text)
    assert error.value.knob == "sample_prompts"


@pytest.mark.parametrize(
    ("corpus", "parts", "label", "stem"),
    [
        ("tales", ["tales"], "tales", "tales"),
        ("v1.2", ["v1.2"], "v1.2", "v1.2"),
        ("/a/b.txt", ["/a/b.txt"], "b.txt", "b"),
        ("C:\\a\\b.txt", ["C:\\a\\b.txt"], "b.txt", "b"),
        ("/a/b.txt, /c/*.md,", ["/a/b.txt", "/c/*.md"], "b.txt and 1 more", "b and 1 more"),
        ("/a/[x,y].txt", ["/a/[x,y].txt"], "[x,y].txt", "[x,y]"),
        ("/notes/", ["/notes/"], "notes", "notes"),
        (",", [], ",", ","),
    ],
)
def test_several_texts_are_separated_by_commas(corpus: str, parts: list[str], label: str, stem: str) -> None:
    assert (corpus_parts(corpus), corpus_label(corpus), corpus_label(corpus, suffix=False)) == (parts, label, stem)


@pytest.mark.parametrize(
    ("corpus", "elsewhere"), [("tales", False), ("/a/b", False), ("../b", True), ("/a/b,../../etc/passwd", True)]
)
def test_a_relative_path_in_a_strangers_run_is_noticed(corpus: str, elsewhere: bool) -> None:
    assert leads_elsewhere(corpus) is elsewhere
