"""The tales are the same for the same seed, grammatical where that can be counted, and need a long memory."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from rnnplay.text.corpora.dependencies import Draw
from rnnplay.workspace import bundled_corpora
from tools.tales import write as tales
from tools.tales.plots import PLOTS
from tools.tales.referents import Person, Thing, definite, possessive, third_person
from tools.tales.story import Story

SENTENCE = re.compile(r"(?<=[.!?])\s+")


@pytest.fixture(scope="module")
def text() -> str:
    return (bundled_corpora() / "tales.txt").read_bytes().decode("ascii")


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return list(islice(tales.tales(seed=5), 400))


def test_the_command_writes_the_bundled_file_byte_for_byte(tmp_path: Path, text: str) -> None:
    out = tmp_path / "tales.txt"
    environment = {**os.environ, "PYTHONHASHSEED": "4321"}
    command = [sys.executable, "-m", "tools.tales.write", "--out", str(out)]
    subprocess.run(command, check=True, env=environment, timeout=60)
    assert out.read_bytes() == text.encode("ascii")


def test_writing_takes_less_than_three_seconds() -> None:
    start = time.process_time()
    tales.write()
    assert time.process_time() - start < 3


def test_size_and_vocabulary(text: str) -> None:
    words = Counter(re.findall(r"[a-z]+", text.lower()))
    assert 950_000 <= len(text) <= 1_100_000
    assert len(words) >= 1_500
    assert sum(count for _, count in words.most_common(150)) > 0.6 * words.total()  # a frequent core
    assert sum(1 for count in words.values() if count < 20) > 500  # and a rare tail


def test_another_seed_tells_other_tales_and_a_shorter_text_is_a_beginning(text: str) -> None:
    assert text.startswith(tales.write(characters=20_000))
    assert not text.startswith(tales.write(seed=2, characters=1)[:200])


def test_every_plot_is_told(text: str) -> None:
    told = Counter(story.plot for story in islice(tales.tales(), len(text.strip().split("\n\n"))))
    assert set(told) == {plot.__name__ for plot in PLOTS}
    assert min(told.values()) >= 15


def test_nothing_of_the_templates_is_left(text: str) -> None:
    assert not re.search(r"[<>{}\[\]|#_]|  | [.,!?]|\.\.|,,|\"\"| \n", text)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,:!?'\"-\n")


def test_articles_agree_with_the_next_sound(text: str) -> None:
    assert not re.findall(r"\b[Aa] (?!one|uni|use)[aeiou]\w*", text)
    assert not re.findall(r"\b[Aa]n (?!hour|honest)[^aeiou]\w*", text, re.IGNORECASE)
    assert len(re.findall(r"\ban [aeiou]", text)) > 300


def test_each_tale_has_its_shape(text: str) -> None:
    all_tales = text.strip().split("\n\n")
    titled = [tale for tale in all_tales if not re.search(r"[.\"]$", tale.split("\n")[0])]
    assert 0.3 < len(titled) / len(all_tales) < 0.8
    for tale in all_tales:
        lines = tale.split("\n")
        assert tale in titled or tale.startswith("Once"), tale
        assert all(line[0].isupper() or line[0] == '"' for line in lines), tale
        assert all(line.count('"') % 2 == 0 for line in lines), tale


def test_tales_have_eight_to_twenty_sentences(stories: list[Story]) -> None:
    counts = [tales.sentence_count(story) for story in stories]
    assert min(counts) >= 8
    assert max(counts) <= 20
    assert len(set(counts)) > 5


def test_sentences_begin_with_a_capital(text: str) -> None:
    assert not re.findall(r"[.] [a-z]\w*", text)
    assert not re.findall(r'[.]" [a-z]\w*', text)


def test_number_agrees(text: str) -> None:
    """Twins are, a boy is; so that "was" and "were" are not mixed up."""
    assert text.count("the twins") + text.count("The twins") > 50
    assert not re.findall(r"\b(?:they|we|twins|foxes|rabbits|ducks) (?:was|is|has|knows)\b", text, re.IGNORECASE)
    assert not re.findall(r"\b(?:he|she|it) (?:were|are|have)\b", text)
    assert not re.findall(r"\bI (?:is|are|has|were)\b|\bwe (?:am|is|has)\b", text)


def test_pronouns_have_somebody_to_stand_for(stories: list[Story]) -> None:
    """Outside of speech, he or she is said only where there is somebody who is one."""
    seen: Counter[str] = Counter()
    for story in stories:
        body = re.sub(r'"[^"]*"', " ", " ".join(" ".join(sentences) for sentences in story.paragraphs))
        genders = {person.gender for person in story.people}
        for gender, words in (("f", "she|herself"), ("m", "he|him|himself")):
            if re.search(rf"\b(?:{words})\b", body, re.IGNORECASE):
                seen[gender] += 1
                assert gender in genders or (gender == "f" and "mother of" in body), story.text
    assert min(seen["f"], seen["m"]) > 100


def test_pronouns_that_were_chosen_mean_one_person_only(stories: list[Story]) -> None:
    """The same person was named in this sentence or the last, and nobody else of that gender was."""
    chosen = 0
    for story in stories:
        for index, mention in enumerate(story.mentions):
            if not (mention.pronoun and mention.chosen):
                continue
            chosen += 1
            near = [other.person for other in story.mentions[:index] if other.sentence >= mention.sentence - 1]
            assert mention.person in near, story.text
            rivals = [other.name for other in near if other.gender == mention.person.gender]
            assert set(rivals) == {mention.person.name}, (rivals, story.text)
    assert chosen > 600


def test_names_are_not_shared(stories: list[Story]) -> None:
    for story in stories:
        names = [person.name for person in story.people]
        assert len(set(names)) == len(names), story.text


def test_what_comes_up_early_comes_back_late(stories: list[Story]) -> None:
    """The long memory: a thing, a place or a word of the beginning is needed again five sentences later or more."""
    far = needed = 0
    for story in stories:
        body = " ".join(" ".join(paragraph) for paragraph in story.paragraphs)
        sentences = SENTENCE.split(body.lower().replace('"', ""))
        assert story.returning, story.plot
        for word in story.returning:
            places = [i for i, sentence in enumerate(sentences) if re.search(rf"\b{re.escape(word.lower())}", sentence)]
            assert places, (word, story.text)
            needed += 1
            far += places[-1] - places[0] >= 5
    assert needed > 600
    assert far / needed > 0.9


def test_the_hero_is_there_to_the_end(stories: list[Story]) -> None:
    for story in stories:
        hero = story.roles["h"]
        last = max(mention.sentence for mention in story.mentions if mention.person is hero)
        assert last >= 0.5 * max(mention.sentence for mention in story.mentions), story.text


def test_a_title_does_not_count_as_having_met_anybody() -> None:
    story = Story(Draw(1), "test")
    story.cast(h=Person("Nora", "girl", "f", "a girl called Nora", "in a hut"))
    story.entitle("{h.name} and the fox in the hut")
    assert story.title == "Nora and the Fox in the Hut"
    assert not story.mentions


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("she ate a apple and a pear.", "She ate an apple and a pear."),
        ("a honest boy had a use for a hour.", "An honest boy had a use for an hour."),
        ('nora said, "come in." then she sat.', 'Nora said, "Come in." Then she sat.'),
        ('"was it far?" asked nobody.', '"Was it far?" asked nobody.'),
        ('"come!" "no."', '"Come!" "No."'),
        ("{t.a} {t.was} there, and {h} took {t.it}.", "A bag of red marbles were there, and Nora took them."),
        ("{h.name} {h:carry} it. {h.he} {h.has} it.", "Nora carries it. She has it."),
    ],
)
def test_a_template_as_it_is_printed(template: str, printed: str) -> None:
    story = Story(Draw(1), "test")
    marbles = Thing("marbles", "red", "bag of")
    story.cast(h=Person("Nora", "girl", "f", "a girl called Nora", "in a hut"), t=marbles)
    story.say(template)
    assert story.text == printed


def test_small_forms() -> None:
    assert [third_person(verb, False) for verb in ("know", "carry", "play", "fetch", "go")] == [
        "knows",
        "carries",
        "plays",
        "fetches",
        "goes",
    ]
    assert third_person("carry", True) == "carry"
    assert possessive("the twins") == "the twins'"
    assert possessive("Nora") == "Nora's"
    assert definite("a jar of honey") == "the jar of honey"
    assert definite("four planks") == "the four planks"


def test_draws_use_the_one_stable_method() -> None:
    """Only `random()` promises the same numbers in every version of Python."""
    draw, plain = Draw(9), random.Random(9)
    assert [draw.below(1000) for _ in range(20)] == [int(plain.random() * 1000) for _ in range(20)]
    counts = Counter(draw.common(range(50)) for _ in range(20_000))
    assert counts[0] > 3 * counts[40] > 0
    assert sorted(draw.several("abcdef", 6)) == list("abcdef")
