"""A text to look at where the user has typed none."""

from __future__ import annotations

from rnnplay.errors import RnnplayError
from rnnplay.workspace import Workspace

FIXED = 'Once there was a little fox. "Where is the red kite?" asked the fox.'
LEAST, MOST = 20, 160
LINES = 200
"""Lines of a corpus looked at."""


def sample_text(corpus: str, workspace: Workspace) -> str:
    """The first line of the corpus that is neither short nor long; a fixed one if it cannot be read.

    A line with quotation marks is preferred: they are what units are first compared with.
    """
    from rnnplay.text.corpora.catalogue import find_corpus

    try:
        path = find_corpus(corpus, workspace).path if corpus else None
        if path is None:
            return FIXED
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in (file.readline(4096) for _ in range(LINES))]
    except (RnnplayError, OSError):
        return FIXED
    fitting = [line for line in lines if LEAST <= len(line) <= MOST]
    quoted = [line for line in fitting if '"' in line]
    return (quoted or fitting or [FIXED])[0]
