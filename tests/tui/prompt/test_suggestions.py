"""What is suggested stays while it agrees with what is typed; the words to choose from; earlier prompts."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.engine.messages import Adapted, Completion
from rnnplay.inspection.results import WordCandidate
from rnnplay.tui.prompt.prompt_history import MOST_PROMPTS, PromptHistory
from rnnplay.tui.prompt.suggestions import Suggestions, adapted_text, reading_text


def answer(*words: str, phrase: str = "", suggestion: str | None = None) -> Completion:
    candidates = [WordCandidate(text=text, probability=0.5 / k) for k, text in enumerate(words, start=1)]
    first = words[0] if suggestion is None and words else suggestion or ""
    return Completion(request=1, suggestion=first, next=[], unknown=[], step=1, words=candidates, phrase=phrase)


def typed(text: str, completion: Completion) -> Suggestions:
    suggestions = Suggestions()
    suggestions.type(text)
    suggestions.answer(text, completion)
    return suggestions


def texts(suggestions: Suggestions) -> list[str]:
    return [word.text for word in suggestions.words]


def test_the_ghost_stays_while_it_agrees_with_what_is_typed() -> None:
    suggestions = typed("the w", answer("oman", "orld"))
    suggestions.type("the wo")
    suggestions.answer("the wo", answer("rld", "man"))
    assert suggestions.ghost == "man"
    assert suggestions.shown == 1
    suggestions.type("the wor")
    assert suggestions.ghost == ""
    assert texts(suggestions) == ["ld"]
    suggestions.answer("the wor", answer("ld"))
    assert suggestions.ghost == "ld"


@pytest.mark.parametrize("chosen", [False, True])
def test_deleted_text_is_not_suggested(chosen: bool) -> None:
    suggestions = typed("a red", answer(" fox", " kite"))
    if chosen:
        assert suggestions.choose(1)
    suggestions.type("a")
    assert suggestions.ghost == ""
    suggestions.answer("a", answer(" den", " hole"))
    assert suggestions.ghost == " den" and suggestions.shown == 0
    suggestions.type("a ")
    suggestions.answer("a ", answer("hole", "den"))
    assert suggestions.ghost == "den"


def test_a_longer_phrase_extends_the_ghost() -> None:
    suggestions = typed("the w", answer("oman"))
    suggestions.type("the wo")
    suggestions.answer("the wo", answer("man", phrase="man of the"))
    assert suggestions.ghost == "man of the"


def test_a_word_that_is_chosen_leads_on_to_its_phrase() -> None:
    words = [WordCandidate(text=text, probability=0.3, phrase=text + " of") for text in ("as", "ere")]
    suggestions = typed("w", Completion(request=1, suggestion="as", next=[], unknown=[], step=1, words=words))
    assert suggestions.choose(1)
    assert (suggestions.ghost, suggestions.shown, suggestions.piece()) == ("ere of", 1, "ere")
    suggestions.type("we")
    assert [(word.text, word.phrase) for word in suggestions.words] == [("re", "re of")]


@pytest.mark.parametrize(
    ("adapted", "said"),
    [
        (None, ""),
        (Adapted(trouble="No."), "No."),
        (Adapted(prepared=0.5), "adapting: 50% prepared"),
        (Adapted(tokens=20, of=4000), "adapting: 20 of 4,000 tokens"),
        (Adapted(), "adapts from the first whole segment on"),
        (Adapted(tokens=40, of=40, before=1.5, after=1.4), "adapted: 1.500 → 1.400 nats over 40 tokens"),
    ],
)
def test_how_far_the_model_has_adapted_is_said(adapted: Adapted | None, said: str) -> None:
    assert adapted_text(adapted) == said


def test_an_answer_to_another_text_changes_nothing() -> None:
    suggestions = typed("a", answer("nd"))
    suggestions.answer("q", answer("ueen"))
    assert suggestions.ghost == "nd"


@pytest.mark.parametrize("phrase", ["", "as a", 'as!"'])
def test_a_new_answer_to_the_same_text_changes_only_the_words(phrase: str) -> None:
    """Who reaches for Tab gets what they see, whatever training does to the weights meanwhile."""
    suggestions = typed("w", answer("as", "ere", phrase=phrase))
    seen = phrase or "as"
    for again in (answer("ere", "as", phrase="ere of"), answer("as", phrase="as a king"), answer("ho"), answer()):
        suggestions.answer("w", again)
        assert (suggestions.ghost, texts(suggestions)) == (seen, [word.text for word in again.words])
    suggestions.type("wa")
    assert suggestions.ghost == seen[1:]
    suggestions.answer("wa", answer("s", phrase=seen[1:] + " and"))
    assert suggestions.ghost == seen[1:] + " and"  # a character was typed, and the phrase goes on as before


def test_a_ghost_that_was_left_alone_follows_the_weights() -> None:
    now = [100.0]
    suggestions = Suggestions(5, lambda: now[0])
    suggestions.type("w")
    suggestions.answer("w", answer("as", "ere", phrase='as!"'))

    def after(seconds: float, *words: str) -> str:
        now[0] += seconds
        suggestions.answer("w", answer(*words))
        return suggestions.ghost

    assert after(4.9, "ho") == 'as!"'
    assert after(0.2, "ho", "as") == 'as!"'  # still one of the words
    assert after(0.0, "ho", "hat") == "ho"
    suggestions.touch()
    assert after(1, "ich") == "ho"
    suggestions.type("wx")
    suggestions.type("w")
    assert after(4, "hy") == "hy"  # the x excluded what was shown before
    assert after(0.9, "e") == "hy"
    assert suggestions.walk(1)
    assert after(60, "as") == "e"  # chosen by the user


def test_below_the_floor_words_are_shown_and_no_ghost() -> None:
    suggestions = typed("x", answer("yz", "ab", suggestion=""))
    assert (suggestions.ghost, suggestions.shown, texts(suggestions)) == ("", None, ["yz", "ab"])
    assert suggestions.walk(1)
    assert suggestions.ghost == "yz"


def test_walking_ends_at_both_ends_and_the_first_word_leads_to_the_phrase() -> None:
    suggestions = typed("w", answer("as", "ere", phrase="as a "))
    assert not suggestions.walk(-1)
    assert suggestions.walk(1)
    assert not suggestions.walk(1)
    assert suggestions.walk(-1)
    assert suggestions.ghost == "as a "
    assert not suggestions.choose(2)


@pytest.mark.parametrize(
    ("ghost", "piece"),
    [
        ("as a", "as"),
        (" a king", " a"),
        (", and", ","),
        ("\nAnd", "\n"),
        (" \n", " "),
        ("don't go", "don't"),
        (" “x", " "),
        ("日本 語", "日本"),
    ],
)
def test_a_piece_is_a_word_with_what_stands_before_it(ghost: str, piece: str) -> None:
    assert typed("x", answer(ghost)).piece() == piece


def test_pieces_come_to_an_end_and_give_the_whole_text() -> None:
    text, taken = " a, “b”\n\n  c\td - e\n", ""
    while taken != text:
        piece = typed("x", answer(text[len(taken) :])).piece()
        assert piece
        taken += piece


def test_the_history_is_kept_bounded_and_walked(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "prompts.json")
    for number in range(MOST_PROMPTS + 5):
        history.add(f"p{number}")
    history.add("p100")
    again = PromptHistory(tmp_path / "prompts.json")
    assert [again.older("draft"), again.older("x"), again.newer(), again.newer(), again.newer()] == [
        "p100",
        f"p{MOST_PROMPTS + 4}",
        "p100",
        "draft",
        None,
    ]
    count = 0
    while again.older("") is not None:
        count += 1
    assert count == MOST_PROMPTS


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b"[" * 10_000])
def test_a_broken_history_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "prompts.json").write_bytes(content)
    history = PromptHistory(tmp_path / "prompts.json")
    assert history.older("x") is None
    history.add("new")
    assert PromptHistory(tmp_path / "prompts.json").older("") == "new"


def test_how_much_of_a_long_text_was_read_is_said() -> None:
    assert reading_text(None, 0.4) == "reading the text: 40%"
    assert reading_text(Adapted(prepared=0.5), 0.4) == "reading the text: 40% · adapting: 50% prepared"
    assert reading_text(None, 1) == ""
