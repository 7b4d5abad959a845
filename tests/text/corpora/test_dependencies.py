"""Lines with known dependencies: what is said to determine a character does, and nothing nearer gives it away."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnplay.text.corpora.cached_texts import materialise, write_whole
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.dependencies import (
    LETTERS,
    SYMBOLS,
    TASKS,
    Dependency,
    Draw,
    agreement_dependencies,
    brackets_dependencies,
    copy_dependencies,
    recall_dependencies,
    training_text,
)
from rnnplay.workspace import Workspace


@pytest.fixture(scope="module", params=list(TASKS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sample(kind: str) -> list[str]:
    return [line.rstrip("\n") for line, _ in zip(training_text(kind), range(2000), strict=False)]


def test_the_same_text_from_the_same_seed(kind: str) -> None:
    assert sample(kind) == sample(kind)
    other = [line.rstrip("\n") for line, _ in zip(training_text(kind, seed=2), range(2000), strict=False)]
    assert sample(kind) != other


def test_the_largest_distance_is_what_the_task_says(kind: str) -> None:
    task = TASKS[kind]
    lines = [line.rstrip("\n") for line in training_text(kind)]
    assert len(lines) == task.lines
    assert max(one.distance for line in lines for one in task.dependencies(line)) == task.trained


def test_chance_is_one_over_the_alternatives_and_each_of_them_is_as_likely(kind: str) -> None:
    task = TASKS[kind]
    found = [(line[one.position], one) for line in sample(kind) for one in task.dependencies(line)]
    for right, one in found:
        assert right in one.alternatives
        assert len(one.alternatives) == round(1 / task.chance)
    seen = Counter(one.alternatives.index(right) for right, one in found)
    assert len(seen) == round(1 / task.chance)
    assert max(seen.values()) < 1.25 * min(seen.values())


def test_another_character_at_the_earlier_place_asks_for_another_answer(kind: str) -> None:
    """Brute force: with the earlier character changed, the line is of its kind again only if the answer changes."""
    task = TASKS[kind]
    others = {"recall": SYMBOLS, "brackets": "([{", "agreement": "s", "copy": LETTERS}[kind]
    for line in sample(kind)[:200]:
        for one in task.dependencies(line)[:4]:
            for other in others:
                changed = line[: one.earlier] + other + line[one.earlier + 1 :]
                if changed == line:
                    continue
                with pytest.raises(ValueError, match="no line of"):
                    task.dependencies(changed)


@pytest.mark.parametrize("factor", [1, 2])
def test_lines_of_any_size_are_of_their_kind(kind: str, factor: int) -> None:
    task, draw = TASKS[kind], Draw(5)
    sizes = range(task.sizes[0], factor * task.sizes[1] + 1)
    lengths = [len(task.make(draw, size)) for size in sizes]
    assert all(task.dependencies(task.make(draw, size)) for size in sizes)
    assert lengths[-1] == max(lengths) or kind == "agreement"


def test_by_hand() -> None:
    assert recall_dependencies("C..?C") == [Dependency(4, 0, "ABCDEFGH")]
    assert recall_dependencies("AB.?AB") == [Dependency(4, 0, "ABCDEFGH"), Dependency(5, 1, "ABCDEFGH")]
    assert copy_dependencies("ba|ba") == [Dependency(3, 0, "abcdefgh"), Dependency(4, 1, "abcdefgh")]
    assert brackets_dependencies("([])") == [Dependency(2, 1, ")]}"), Dependency(3, 0, ")]}")]
    line = "the keys of the house are old"
    assert agreement_dependencies(line) == [Dependency(line.index("are"), line.index("s"), "ia")]
    line = "the boat near the dogs has been lost"
    assert agreement_dependencies(line) == [Dependency(line.index("s been"), 8, "sv")]


@pytest.mark.parametrize(
    "line", ["", "C..?D", "abc", "([)]", "(", "the keys is old", "the key of the house are old", "a|b"]
)
def test_other_lines_are_refused(line: str) -> None:
    for task in TASKS.values():
        with pytest.raises(ValueError, match="no line of"):
            task.dependencies(line)


def test_the_corpora_are_made_in_the_cache_once(tmp_path: Path, kind: str) -> None:
    corpus = find_corpus(kind, Workspace(tmp_path).create())
    assert corpus.card.feed == "lines"
    path = corpus.materialise(tmp_path / ".cache")
    assert path.read_text(encoding="utf-8") == "".join(training_text(kind))
    before = path.stat().st_mtime_ns
    assert materialise(kind, tmp_path / ".cache") == path
    assert path.stat().st_mtime_ns == before


def test_of_two_that_make_a_text_at_once_the_first_ones_stays(tmp_path: Path) -> None:
    """The first may be reading it already, and would see it change under its hands."""
    target = tmp_path / "text.txt"

    def pieces() -> Iterator[str]:
        yield "one\n"
        target.write_text("one\ntwo\n", encoding="utf-8")  # as another process would, which is quicker
        first.append(target.stat())
        yield "two\n"

    first: list[os.stat_result] = []
    write_whole(target, pieces(), tmp_path / "cache")
    now = target.stat()
    assert (now.st_ino, now.st_mtime_ns) == (first[0].st_ino, first[0].st_mtime_ns)
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "text.txt.sha256"}


def test_a_text_that_is_not_as_it_was_made_is_made_again(tmp_path: Path) -> None:
    """Though its size and time are; and one that an earlier version made, without its hash, is compared."""
    cache = tmp_path / ".cache"
    path = materialise("recall", cache)
    text, before = path.read_bytes(), path.stat()
    path.write_bytes(text[:50_000] + b"x" * 100 + text[50_100:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert materialise("recall", cache).read_bytes() == text
    path.with_name(f"{path.name}.sha256").unlink()
    inode = path.stat().st_ino
    assert materialise("recall", cache).stat().st_ino == inode
