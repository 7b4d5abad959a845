"""Makes a page of each lesson in each language, and a list of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnnplay.lessons.languages import LANGUAGES, Language
from rnnplay.lessons.lesson import Lesson, Page
from rnnplay.lessons.reader import lessons, page


@dataclass(frozen=True, slots=True)
class Words:
    """What the site adds to the lessons, in one language."""

    code: str
    """Of the language, as in HTML's `lang`."""
    title: str
    about: str
    other: str
    """A link to the same page in the other language."""
    play: str
    """How a lesson is played; {number} and {minutes}."""
    heads: tuple[str, str, str]
    """Of the columns of the list."""


WORDS: dict[Language, Words] = {
    "en": Words(
        "en",
        "Lessons",
        "Ten lessons, from training an RNN to what an LSTM's gates do. Here they can be read; in rnnplay (`l`) each "
        "is a small experiment whose steps tick themselves once what the page says was measured on your own run.",
        "这一课的中文版",
        "Play it: press `l` in the interface and choose lesson {number}, or `rnnplay lessons run {number}` without it. "
        "About {minutes} of training on two cores.",
        ("", "lesson", "trains for about"),
    ),
    "zh": Words(
        "zh-Hans",
        "课程",
        "十节课，从训练一个 RNN 讲到 LSTM 的门控。在这里可以阅读；在 rnnplay 里按 `l`，每一课都是一个小实验："
        "页面上说的现象在你自己的模型上测到之后，步骤会自动打勾。",
        "This lesson in English",
        "动手做：在界面中按 `l` 选择第 {number} 课；不用界面时运行 `rnnplay lessons run {number} --language zh`。"
        "在双核机器上大约训练 {minutes}。",
        ("", "课", "训练时间约"),
    ),
}


def path_of(lesson: Lesson, language: Language) -> str:
    """Returns the site's path of a lesson's page."""
    return f"lesson/{language}/{lesson.number}-{lesson.name}.md"


def lesson_pages() -> dict[str, str]:
    """Returns every page as Markdown, by its path on the site."""
    pages = {}
    for language in LANGUAGES:
        pages[f"lesson/{language}/index.md"] = _list(language)
        for lesson in lessons():
            pages[path_of(lesson, language)] = _page(lesson, language)
    return pages


def _list(language: Language) -> str:
    words = WORDS[language]
    rows = [f"| {' | '.join(words.heads)} |", "| --- | --- | --- |"]
    for lesson in lessons():
        title = page(lesson, language).title
        rows.append(f"| {lesson.number} | [{title}]({lesson.number}-{lesson.name}.md) | {_time(lesson, language)} |")
    return _in_language(words, words.title, f"{words.about}\n\n" + "\n".join(rows))


def _page(lesson: Lesson, language: Language) -> str:
    words, found = WORDS[language], page(lesson, language)
    (other,) = (one for one in LANGUAGES if one != language)
    link = f"[{words.other}](../{other}/{lesson.number}-{lesson.name}.md){{ lang={WORDS[other].code} }}"
    play = words.play.format(number=lesson.number, minutes=_time(lesson, language))
    _, _, text = found.markdown.strip().partition("\n")
    return _in_language(
        words, f"{lesson.number}. {found.title}", f"{link}\n\n{_answer_hidden(text, found)}\n\n---\n\n{play}"
    )


def _answer_hidden(text: str, found: Page) -> str:
    """Folds the answer away, so that the question can be thought about first."""
    before, answer, after = text.partition(found.answer)
    head = re.search(r"^## (.*)\n+\Z", before, re.MULTILINE)
    assert head is not None and answer
    folded = f"<details markdown>\n<summary>{head[1]}</summary>\n\n{answer}\n\n</details>"
    return f"{before[: head.start()]}{folded}{after}"


def _time(lesson: Lesson, language: Language) -> str:
    seconds = round(lesson.minutes * 60, -1)
    if language == "zh":
        return f"{seconds:.0f} 秒" if seconds < 60 else f"{lesson.minutes:g} 分钟"
    return f"{seconds:.0f} seconds" if seconds < 60 else f"{lesson.minutes:g} minute{'s' * (lesson.minutes != 1)}"


def _in_language(words: Words, title: str, body: str) -> str:
    if words.code == "en":
        return f"# {title}\n\n{body}\n"
    return f'# {title} {{ lang={words.code} }}\n\n<div lang="{words.code}" markdown>\n\n{body}\n\n</div>\n'
