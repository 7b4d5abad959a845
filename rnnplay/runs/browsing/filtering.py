"""Chooses runs by what a user types: free text, and terms such as "lr>=0.001 cell=lstm valid<1.5 tag:good"."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rnnplay.common.numbers import meant, real_number
from rnnplay.config import RENAMED, KnobSpec, Value, knobs
from rnnplay.errors import InputError
from rnnplay.knob_texts import corpus_parts
from rnnplay.runs.browsing.parents import Parents
from rnnplay.runs.index import ListedRun
from rnnplay.runs.info import moment

Test = Callable[[ListedRun], bool]
Get = Callable[[ListedRun], float | str | None]

_WORD = r'(?:[^\s"]|"[^"]*"?)+'
_TERM = r"([A-Za-z][A-Za-z0-9_-]*)(>=|<=|!=|==|=|<|>|:)(.*)"
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DAY = r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?:[T ]([0-9]{1,2})(?::([0-9]{2}))?)?)?)?"

NUMBERS: dict[str, tuple[str, Get]] = {
    "step": ("5000", lambda run: run.step),
    "valid": ("1.5", lambda run: run.best_loss),
    "parameters": ("100000", lambda run: run.info.parameters if run.info else None),
    "vocabulary": ("100", lambda run: run.info.vocabulary if run.info else None),
}
"""What is compared as a number besides the knobs: an example, and where it is found."""
OTHERS = ("created", "run", "tag", "note", "parent")
_NAMES = {"name": "run", "tags": "tag", "validation_loss": "valid", "best": "valid", "params": "parameters", **RENAMED}
"""Other names of fields."""


class RunFilter(NamedTuple):
    """Chooses the runs that pass every test."""

    tests: Sequence[Test] = ()
    among: Sequence[Callable[[Parents], Test]] = ()
    """Make tests that depend on what other runs there are."""

    def chosen(self, runs: Sequence[ListedRun]) -> list[ListedRun]:
        """Returns those of `runs`, which are all that there are, that are chosen, in their order."""
        tests = list(self.tests)
        if self.among:
            parents = Parents(runs)
            tests += [make(parents) for make in self.among]
        return [run for run in runs if all(test(run) for test in tests)] if tests else list(runs)


def read_filter(text: str) -> RunFilter:
    """Reads what a user typed; raises InputError for a term that says nothing, in one sentence.

    A term is a field, one of = != < <= > >= (or : for =), and a value; a run that lacks the value, or in which the
    knob has no effect, does not match. All else is text that is looked for in names, corpora, models, notes and tags.
    Quotes keep words together.
    """
    tests: list[Test] = []
    among: list[Callable[[Parents], Test]] = []
    for word in re.findall(_WORD, text):
        name, sign, value = _parts_of(word)
        if name == "parent":
            among.append(_parent_test(sign, value))
        else:
            tests.append(_has_text(word.replace('"', "")) if not name else _test_of(name, sign, value))
    return RunFilter(tests, among)


def begun_field(text: str) -> str:
    """Returns the field whose name the last word of `text` may be the beginning of; "" if there is none."""
    match = re.search(r"(?:^|\s)([A-Za-z][A-Za-z0-9_-]*)$", text)
    begin = match[1].lower().replace("-", "_") if match else ""
    return next((name for name in (*NUMBERS, *OTHERS, *knobs()) if begin and name.startswith(begin)), "")


def _parts_of(word: str) -> tuple[str, str, str]:
    """Splits a term into its field, its sign and its value; three empty ones for a word that is none."""
    match = re.fullmatch(_TERM, word, re.DOTALL)
    if match is None:
        return "", "", ""
    name, sign, value = match[1].lower().replace("-", "_"), match[2], match[3].replace('"', "").strip()
    name = _NAMES.get(name, name)
    specs = knobs()
    if name not in specs and name not in NUMBERS and name not in OTHERS:
        if sign == ":":  # such as a path of Windows
            return "", "", ""
        near = difflib.get_close_matches(name, [*specs, *NUMBERS, *OTHERS], n=1)
        hint = f"did you mean {near[0]}?" if near else "there are step, valid, parameters, created, tag and all knobs."
        raise InputError(f"Runs have no {match[1]}; {hint}")
    return name, "=" if sign in (":", "==") else sign, value


def _test_of(name: str, sign: str, value: str) -> Test:
    if name in NUMBERS:
        example, get = NUMBERS[name]
        return _number_test(name, sign, value, example, get)
    if name == "created":
        return _created_test(sign, value)
    if name in OTHERS:
        return _text_test(name, sign, value)
    return _knob_test(knobs()[name], sign, value)


def _has_text(text: str) -> Test:
    wanted = text.casefold()
    return lambda run: wanted in run.words


def _knob_test(spec: KnobSpec, sign: str, value: str) -> Test:
    name = spec.name

    def get(run: ListedRun) -> Value | None:
        return None if run.info is None or not spec.relevant(run.info.config) else getattr(run.info.config, name)

    if spec.kind in ("int", "float"):
        return _number_test(name, sign, value, f"{spec.default:g}", get)
    _only_equal(name, sign)
    if not value:
        raise InputError(f"{name}{sign} needs a value: {spec.allowed}.")
    if name == "corpus":
        return _equal(sign, value, lambda run: _corpus_names(run.info.config.corpus) if run.info else ())
    if spec.kind != "text" and not spec.takes(value):
        raise InputError(f"{name} is {spec.allowed}, never {value[:40]!r}.")
    wanted = spec.parse(value)
    return lambda run: (found := get(run)) is not None and (found == wanted) is (sign == "=")


def _check_text(name: str, sign: str, value: str) -> None:
    _only_equal(name, sign)
    if not value:
        raise InputError(f"{name}{sign} needs a value, like {name}{sign}{'good' if name == 'tag' else 'tales'}.")


def _text_test(name: str, sign: str, value: str) -> Test:
    _check_text(name, sign, value)
    if name == "note":
        wanted = value.casefold()
        return lambda run: bool(run.notes.note) and (wanted in run.notes.note.casefold()) is (sign == "=")
    if name == "tag":
        return _equal(sign, value, lambda run: run.notes.tags, lacking=True)
    return _equal(sign, value, lambda run: (run.name,))


def _equal(sign: str, value: str, get: Callable[[ListedRun], Sequence[str]], lacking: bool = False) -> Test:
    """Whether one of the values is `value`, capitals aside; `lacking`: a run without values is unlike any."""
    wanted = value.casefold()

    def test(run: ListedRun) -> bool:
        values = get(run)
        found = any(one.casefold() == wanted for one in values)
        return found if sign == "=" else not found and bool(values or lacking)

    return test


def _corpus_names(corpus: str) -> tuple[str, ...]:
    """The names of a corpus, and of each of several texts, with and without folders and suffix."""
    names = [corpus]
    for one in dict.fromkeys([corpus, *corpus_parts(corpus)]):
        last = one.replace("\\", "/").rsplit("/", 1)[-1]
        names += [last, last.rsplit(".", 1)[0]]
    return tuple(names)


def _parent_test(sign: str, value: str) -> Callable[[Parents], Test]:
    """Compares with the parent's present name, alone or with the step, or with its last one if it is gone."""
    _check_text("parent", sign, value)

    def make(parents: Parents) -> Test:
        def names(run: ListedRun) -> tuple[str, ...]:
            origin = parents.origin(run)
            if origin is None:
                return ()
            if origin.now is None and origin.taken:  # the run of that name is not the parent
                return ("",)
            return (origin.now or origin.parent.run, origin.name)

        return _equal(sign, value, names)

    return make


def _only_equal(name: str, sign: str) -> None:
    if sign not in ("=", "!="):
        raise InputError(f"{name} is compared with = or !=, as it is not a number.")


def _number_test(name: str, sign: str, value: str, example: str, get: Get) -> Test:
    number = real_number(value)
    if number is None:
        given = f", not {value[:40]!r}" if value else ""
        write = f"; write {better}" if value and (better := meant(value)) else ""
        raise InputError(f"{name}{sign} needs a number, like {name}{sign}{example}{given}{write}.")
    compare = _OPERATORS.get(sign)

    def test(run: ListedRun) -> bool:
        found = get(run)
        if found is None or isinstance(found, str):
            return False
        if compare is not None:
            return compare(found, number)
        return math.isclose(found, number, rel_tol=1e-9) is (sign == "=")

    return test


def _created_test(sign: str, value: str) -> Test:
    """Compares with a year, a month, a day, an hour or a minute of the user's time zone."""
    match = re.fullmatch(_DAY, value)
    try:
        first, after = _period([int(part) for part in match.groups() if part is not None] if match else [])
    except (ValueError, OverflowError, OSError) as error:
        given = f", not {value[:40]!r}" if value else ""
        raise InputError(f"created{sign} needs a date, like created{sign}2026-03-01{given}.") from error

    def test(run: ListedRun) -> bool:
        when = moment(run.info.created) if run.info is not None else -math.inf
        if when == -math.inf:
            return False
        match sign:
            case "<":
                return when < first
            case "<=":
                return when < after
            case ">":
                return when >= after
            case ">=":
                return when >= first
            case _:
                return (first <= when < after) is (sign == "=")

    return test


def _period(parts: list[int]) -> tuple[float, float]:
    """The first moment of a period given as year, month, …, and the first after it, in seconds since 1970."""
    if not parts:
        raise ValueError("no date")
    whole = [*parts, *(1, 1, 0, 0)[len(parts) - 1 :]]
    first = datetime(*whole[:5])  # type: ignore[arg-type]
    if len(parts) == 1:
        after = first.replace(year=first.year + 1)
    elif len(parts) == 2:
        after = (first + timedelta(days=32)).replace(day=1)
    else:
        after = first + (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))[len(parts) - 3]
    return first.timestamp(), after.timestamp()
