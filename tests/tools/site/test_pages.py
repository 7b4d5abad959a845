"""The site is made of what is in the repository and in the program, and forgets nothing of either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnnplay.cli.main import COMMANDS
from rnnplay.lessons.languages import LANGUAGES
from rnnplay.lessons.reader import lessons, page
from rnnplay.runs.metrics.records import Step
from rnnplay.tui.keys.catalogue import catalogue
from tools.site.pages import ROOT, Nav, Site


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


def in_nav(nav: Nav) -> list[str]:
    """All pages of a navigation."""
    found: list[str] = []
    for entry in nav:
        for below in [entry] if isinstance(entry, str) else entry.values():
            found += [below] if isinstance(below, str) else in_nav(below)
    return found


def test_each_page_is_reached_once(site: Site) -> None:
    """A new file in docs/ has to be given a place."""
    assert sorted(in_nav(site.nav())) == sorted(site.pages)


def test_every_file_of_docs_is_a_page(site: Site) -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        assert path.relative_to(ROOT / "docs").as_posix() in site.pages


def test_lessons_are_whole_in_each_language(site: Site) -> None:
    """All sections; the answer is folded away, and what is Chinese says so."""
    for lesson in lessons():
        for language in LANGUAGES:
            text, found = site.pages[f"lesson/{language}/{lesson.number}-{lesson.name}.md"], page(lesson, language)
            for part in (found.title, found.text, found.equation, found.watch, found.question, found.change):
                assert part in text
            assert f"</summary>\n\n{found.answer}\n\n</details>" in text
            assert ('<div lang="zh-Hans" markdown>' in text) == (language == "zh")


def test_reference_is_taken_from_the_program(site: Site) -> None:
    help_page, keys, json = (site.pages[f"reference/{name}.md"] for name in ("help", "keys", "json"))
    assert all(f"## rnnplay {name}\n" in help_page for name in COMMANDS) and "## rnnplay runs show\n" in help_page
    assert all(f"| `{entry.id}` |" in keys for entry in catalogue({}))
    assert '| `type` | `"step"` | | |' in json
    assert all(f"| `{name}` |" in json for name in Step.__struct_fields__)
    assert "L2 norm over all parameters, before clipping." in json


def test_nothing_comes_from_elsewhere(site: Site, tmp_path: Path) -> None:
    """No font, script or picture of another server: a student without a connection sees the same page."""
    site.write(tmp_path)
    for name, text in site.pages.items():
        assert not re.search(r"<(script|link|iframe|img)\b|!\[[^]]*\]\(http", re.sub(r"`[^`]*`", "", text)), name
    config = (ROOT / "tools" / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in config and not re.search(r"https?://", config + (tmp_path / "site.css").read_text("utf-8"))
