"""Writes the corpus `tales`: small stories for children, the same ones for the same seed.

    python -m tools.tales.write [--seed 1] [--characters 1000000] [--out FILE]

writes it; with the defaults, exactly corpora/tales.txt. A tale is a title line (in half of them), then a line a
paragraph; an empty line ends it. People and things of the first lines come back in the last, so that a model needs
its memory: where the kite was hidden, what was promised, who has which parcel.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rnnplay.text.corpora.dependencies import Draw
from tools.tales.plots import PLOTS
from tools.tales.story import Story

SEED = 1
CHARACTERS = 1_000_000
FEWEST, MOST = 8, 20
"""Sentences per tale."""


def tales(seed: int = SEED) -> Iterator[Story]:
    """Yields tales endlessly; no plot comes twice in a row."""
    draw = Draw(seed)
    last = None
    while True:
        plot = draw.pick([plot for plot in PLOTS if plot is not last])
        last = plot
        story = _told(draw, plot)
        while not FEWEST <= sentence_count(story) <= MOST:
            story = _told(draw, plot)
        yield story


def sentence_count(story: Story) -> int:
    """Counts the sentences, including those of speech, without the title."""
    body = "\n".join(" ".join(sentences) for sentences in story.paragraphs)
    return len(re.findall(r'[.!?]"?(?=\s+["A-Z]|\s*$)', body))


def _told(draw: Draw, plot: Callable[[Story], None]) -> Story:
    story = Story(draw, plot.__name__)
    plot(story)
    return story


def write(seed: int = SEED, characters: int = CHARACTERS) -> str:
    """Returns tales, each followed by an empty line, with at least that many characters (all ASCII)."""
    pieces: list[str] = []
    size = 0
    for story in tales(seed):
        pieces.append(story.text + "\n\n")
        size += len(pieces[-1])
        if size >= characters:
            break
    return "".join(pieces)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.tales.write", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of all choices (default: %(default)s)")
    parser.add_argument("--characters", type=int, default=CHARACTERS, help="at least so many (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="the file to write (default: standard output)")
    options = parser.parse_args(arguments)
    text = write(options.seed, options.characters)
    if options.out is None:
        sys.stdout.write(text)
        return
    try:
        options.out.write_bytes(text.encode("ascii"))
    except OSError as error:
        parser.error(f"{options.out} cannot be written ({error.strerror})")


if __name__ == "__main__":
    main()
