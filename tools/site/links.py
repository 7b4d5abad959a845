"""Rewrites the links of a Markdown file in the repository for its place on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

FENCE = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2`*$\n?", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"(!?\[)((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")


def outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Applies `change` to what is neither in a fenced block nor in a code span; code spans are hidden from it."""
    return "".join(text if code else _outside_spans(text, change) for text, code in _parts(markdown, FENCE))


def _outside_spans(text: str, change: Callable[[str], str]) -> str:
    # A link's text may hold code, so spans are put aside, not cut out.
    spans: list[str] = []

    def aside(match: re.Match[str]) -> str:
        spans.append(match[0])
        return f"\0{len(spans) - 1}\0"

    return re.sub(r"\0(\d+)\0", lambda match: spans[int(match[1])], change(CODE.sub(aside, text)))


def _parts(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """Yields what lies between the matches of `pattern` (False) and the matches (True), in order."""
    last = 0
    for match in pattern.finditer(text):
        yield text[last : match.start()], False
        yield match[0], True
        last = match.end()
    yield text[last:], False


def with_pipes(markdown: str) -> str:
    """Takes the backslash from bars in the code of tables: GitHub needs it there, MkDocs would print it."""

    def change(line: re.Match[str]) -> str:
        return CODE.sub(lambda span: span[0].replace("\\|", "|"), line[0])

    return "".join(
        text if code else re.sub(r"^\|.*$", change, text, flags=re.M) for text, code in _parts(markdown, FENCE)
    )


def rewritten(
    markdown: str, source: str, page: str, place: Callable[[str], str | None], title: Callable[[str], str]
) -> str:
    """Rewrites relative links of `source`, a path in the repository, for `page`, a path on the site.

    `place` returns where a file of the repository is on the site; None leaves the link as it is, for the strict build
    to complain about. A link whose text is the name of a page's file gets that page's `title`.
    """

    def change(match: re.Match[str]) -> str:
        opening, text, link = match.groups()
        target, _, anchor = link.partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        file = posixpath.normpath(str(PurePosixPath(source).parent / target))
        found = place(file)
        if found is None:
            return match[0]
        if text.endswith(".md") and text in (target, file):
            text = title(file)
        link = posixpath.relpath(found, str(PurePosixPath(page).parent)) + (f"#{anchor}" if anchor else "")
        return f"{opening}{text}]({link})"

    return with_pipes(outside_code(markdown, lambda text: LINK.sub(change, text)))
