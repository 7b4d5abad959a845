"""Chinese is broken into lines where it may be, and nothing of it is lost."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from rnnplay.lessons.reader import lessons, page
from rnnplay.lessons.wrapping import broken, wrapped


@pytest.mark.parametrize("width", [30, 50, 76])
def test_pages_fit_and_stay_whole(width: int) -> None:
    """No line of Chinese is wider, none begins with a mark that ends something, and the text is the same."""
    for lesson in lessons():
        markdown = page(lesson, "zh").markdown
        lines = wrapped(markdown, width)
        assert re.sub(r"\s", "", lines.replace("\\\n", "")) == re.sub(r"\s", "", markdown)
        for line in re.sub(r"^```.*?^```|^#.*?$", "", lines, flags=re.MULTILINE | re.DOTALL).splitlines():
            assert cell_len(line.removesuffix("\\")) <= width, line
            assert not re.match(r"\s*[，。；：、！？）”]", line), line
            assert not re.search(r"[（“]\\?$", line), line


def test_english_stays_as_it_is() -> None:
    """Renderers break it well."""
    for lesson in lessons():
        markdown = page(lesson, "en").markdown
        assert wrapped(markdown, 40) == markdown


def test_plain_text_is_broken_too() -> None:
    assert broken("☐ 1. 一二三四，五六", 11) == "☐ 1. 一二三\n四，五六"
    assert broken("☐ 1. one two three", 11) == "☐ 1. one two three"


def test_words_and_code_stay_in_one_piece() -> None:
    """Latin words between Chinese, and knobs in backticks with a space in them."""
    assert wrapped("把 `rec. gain` 设为 relu", 8) == "把\\\n`rec. gain`\\\n设为\\\nrelu"
    assert wrapped("1. 一二三四五", 9) == "1. 一二三\\\n   四五"
