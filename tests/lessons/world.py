"""A made-up lesson, small enough to be played in a test."""

from __future__ import annotations

from pathlib import Path

LESSON = """\
number = 1
name = "made-up"
minutes = 0.1

[common]
corpus = "tales"
cell = "rnn"
hidden = 8
embedding = 4
batch_size = 4
bptt = 8
eval_tokens = 200
eval_every = 0
threads = 1
device = "cpu"

[variants.rnn]
title = { en = "RNN", zh = "循环" }
values = { steps = 3, lr = 0.01 }
learning_rates = [0.01]

[[steps]]
view = "playground"
conditions = [{ metric = "loss", variant = "rnn", comparison = "<", value = 10.0 }]
"""

PAGE = """\
# Made up

Text.

## The equation

```text
1 + 1 = 2
```

## What to do

1. Train.

## What to watch

It.

## Question

Why?

## Answer

Because.

## Now change this yourself

- Do.
"""


def write_lesson(folder: Path, declarations: str = LESSON, page: str = PAGE) -> Path:
    """The lesson's folder, made in `folder`."""
    place = folder / "1-made-up"
    place.mkdir(parents=True)
    (place / "lesson.toml").write_text(declarations, encoding="utf-8")
    for language in ("en", "zh"):
        (place / f"{language}.md").write_text(page, encoding="utf-8")
    return place


FRENCH = """\
number = 100
name = "lecon"
minutes = 0.1

[common]
corpus = "tales"
cell = "rnn"
hidden = 8
embedding = 4
batch_size = 4
bptt = 8
eval_tokens = 200
eval_every = 0
threads = 1
device = "cpu"

[variants.rnn]
title = { fr = "Réseau récurrent" }
values = { steps = 3, lr = 0.01 }

[[steps]]
view = "playground"
conditions = [{ metric = "loss", variant = "rnn", comparison = "<", value = 10.0 }]

[[steps]]
view = "playground"
conditions = [{ metric = "loss", variant = "rnn", comparison = "<", value = 0.1 }]
"""
"""A lesson in a third language; the condition of its first step holds, that of the second does not."""


def write_french(folder: Path) -> Path:
    """The same as a lesson of the user's own, from the skeleton's page."""
    from rnnplay.lessons.own import write_skeleton

    place = write_skeleton(folder, "lecon", "fr", 100)
    (place / "lesson.toml").write_text(FRENCH, encoding="utf-8")
    page = (place / "fr.md").read_text(encoding="utf-8")
    (place / "fr.md").write_text(page.replace("The lesson's title", "Une leçon"), encoding="utf-8")
    return place
