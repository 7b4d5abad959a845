"""Links that lead to where a page is on the site, and code that stays as it is written."""

from __future__ import annotations

import pytest

from tools.site.links import rewritten

PLACES = {
    "docs/race.md": "race.md",
    "corpora/README.md": "corpora.md",
    "rnnplay/config.py": "source/rnnplay/config.py.md",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [races](../race.md#the-plan).", "see [races](../race.md#the-plan)."),
        ("[a `code` text](../../corpora/README.md)", "[a `code` text](../corpora.md)"),
        ("[![picture](a.svg)](../race.md)", "[![picture](a.svg)](../race.md)"),
        ("[../race.md](../race.md), [race.md](../race.md)", "[DOCS/RACE.MD](../race.md), [race.md](../race.md)"),
        ("[config](../../rnnplay/config.py)", "[config](../source/rnnplay/config.py.md)"),
        ("[out](https://example.org/race.md), [here](#head)", "[out](https://example.org/race.md), [here](#head)"),
        ("[gone](../gone.md)", "[gone](../gone.md)"),
        ("`[x](../../corpora/README.md)`", "`[x](../../corpora/README.md)`"),
        ("```md\n[x](../../corpora/README.md)\n```\n", "```md\n[x](../../corpora/README.md)\n```\n"),
        ("| `a\\|b` | c\\|d |", "| `a|b` | c\\|d |"),
        ("not in a table: `\\|`", "not in a table: `\\|`"),
    ],
)
def test_links_of_a_page_one_folder_down(text: str, expected: str) -> None:
    assert rewritten(text, "docs/howto/page.md", "howto/page.md", PLACES.get, str.upper) == expected
