"""The setup form: made from the knobs, usable by keys alone and by mouse alone, never holding a bad config."""

from __future__ import annotations

import asyncio
import random
from typing import ClassVar

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Markdown, Static

from rnnplay.config import KnobSpec, RunConfig, SamplingConfig, knobs, with_values
from rnnplay.errors import ConfigError
from rnnplay.presets import PRESETS, preset_config
from rnnplay.runs.metrics.records import Tuned
from rnnplay.tui.run_state import Phase, RunState
from rnnplay.tui.setup.form_rows import MoreRow
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.setup_form import OPEN_FILE, SetupForm
from rnnplay.tui.setup.values import Nudges, nudged
from tests.tui.stage import until


class FormApp(App[None]):
    CSS = "#box { width: 30; padding: 0 1; } SetupForm { width: 26; }"
    BINDINGS: ClassVar = [("space", "pause", "Pause"), ("c", "clip", "Clip")]

    def __init__(self, config: RunConfig | None = None) -> None:
        super().__init__()
        self.state = RunState(config or preset_config())
        self.form = SetupForm(self.state)
        self.posted: list[Message] = []
        self.pauses = 0
        self.clips = 0

    def compose(self) -> ComposeResult:
        yield self.form

    def on_mount(self) -> None:
        self.form.set_corpora([("tales", "Small stories"), ("python-docs", "The language reference")])

    def action_pause(self) -> None:
        self.pauses += 1

    def action_clip(self) -> None:
        self.clips += 1

    def on_setup_form_changed(self, message: SetupForm.Changed) -> None:
        self.posted.append(message)

    def on_setup_form_tuned(self, message: SetupForm.Tuned) -> None:
        self.posted.append(message)

    def on_setup_form_corpus_file_wanted(self, message: SetupForm.CorpusFileWanted) -> None:
        self.posted.append(message)

    @property
    def tuned(self) -> list[tuple[str, float | str]]:
        return [(message.knob, message.value) for message in self.posted if isinstance(message, SetupForm.Tuned)]

    @property
    def configs(self) -> list[RunConfig]:
        return [message.config for message in self.posted if isinstance(message, SetupForm.Changed)]


async def focus(app: FormApp, pilot: Pilot[None], name: str) -> KnobField:
    field = app.form.field(name)
    await pilot.pause()
    field.focus()
    await pilot.pause()
    assert app.focused is field
    return field


def note(app: FormApp) -> str:
    shown = app.form.query_one("#setup-note", Static)
    return str(shown.content) if shown.display else ""


async def test_every_knob_has_exactly_one_row() -> None:
    """A knob added to RunConfig appears in the form without the form being touched."""
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.more = True
        await pilot.pause()
        rows = [field.spec.name for field in app.form.query(KnobField)]
        assert sorted(rows) == sorted(["preset", *knobs()])


async def test_the_most_important_rows_are_seen_at_80_by_24() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        wanted = ["preset", "corpus", "tokens", "cell", "hidden", "layers", "clip", "clip_threshold", "lr", "minutes"]
        for name in wanted:
            assert 0 <= app.form.query_one(f"#knob-{name}").region.y < 14, name


@pytest.mark.parametrize("spec", [*knobs().values(), *knobs(SamplingConfig).values()], ids=lambda spec: spec.name)
def test_a_label_is_the_option_or_its_last_words(spec: KnobSpec) -> None:
    words = spec.name.split("_")
    shorter = {"input_dropout": "input drop", "layer_dropout": "layer drop", "embedding_dropout": "word dropout"}
    if spec.name in shorter:  # three kinds of dropout in a narrow column; "dropout" alone is a fourth
        assert spec.label == shorter[spec.name]
    else:
        assert spec.label in {" ".join(words[first:]) for first in range(len(words))} | {spec.name}


async def test_labels_and_values_stand_in_columns_and_fit() -> None:
    """Nothing is cut off in a form of 26 cells, and all values above the fold begin in one column."""
    app = FormApp()
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        first = [field for field in app.form.query(KnobField) if field.id and "preset" not in field.id]
        assert {field.label_width for field in first} == {max(len(field.spec.label) for field in first)}
        for field in first:
            text = field.render().plain
            assert len(text) <= field.size.width
            assert text.startswith(field.spec.label.ljust(field.label_width) + " " + field.text)


async def test_choice_goes_round_by_arrows_and_clicks_on_them() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "cell")
        await pilot.press("right", "right", "left")
        await pilot.click(field, offset=(field.size.width - 3, 0))  # ◂
        await pilot.click(field, offset=(field.size.width - 1, 0))  # ▸
        assert [config.cell for config in app.configs] == ["gru", "rnn", "gru", "lstm", "gru"]


async def test_enter_or_a_click_on_one_of_two_choices_takes_the_other() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.more = True
        field = await focus(app, pilot, "lowercase")
        before = field.value
        await pilot.press("enter")
        assert field.value == (not before)
        field.scroll_visible(animate=False)
        await pilot.pause()
        await pilot.click(field, offset=(field.label_width + 2, 0))
        assert field.value == before


async def test_number_is_typed_checked_as_typed_and_taken_back() -> None:
    """A bad value is marked and explained in one sentence; the config keeps the last good one."""
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "hidden")
        await pilot.press("5", "1", "2")
        assert app.form.config.hidden == 512
        await pilot.press(".")
        assert app.form.config.hidden == 256
        assert app.form.errors["hidden"].startswith("hidden must be a whole number from 1 to 16,384; got '512.'")
        assert note(app) == app.form.errors["hidden"]
        assert field.error
        await pilot.press("backspace")
        assert not app.form.errors
        assert note(app) == ""
        await pilot.press("0", "0", "0")
        assert "hidden" in app.form.errors
        await pilot.press("escape")
        assert not app.form.errors
        assert field.text == "256"
        assert app.form.config == preset_config()


@pytest.mark.parametrize(("knob", "instead"), [("lr", "0.01"), ("minutes", "0.01"), ("clip_threshold", "0.01")])
async def test_a_decimal_comma_is_never_another_number(knob: str, instead: str) -> None:
    """Typed or pasted: refused with what to write; of 0,01 a comma that is dropped would make 1."""
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, knob)
        await pilot.press(*"0,01")
        assert app.form.errors[knob].endswith(f"; write {instead}.")
        await pilot.press("escape")
        await pilot.pause()
        field.post_message(events.Paste("0,01"))
        await until(pilot, lambda: app.form.errors.get(knob, "").endswith(f"; write {instead}."))
        await pilot.press("escape")
        await pilot.pause()
        assert app.form.config == preset_config()
        assert all(getattr(config, knob) < 1 or config == preset_config() for config in app.configs)


async def test_taking_back_a_length_brings_the_other_length_back() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await focus(app, pilot, "steps")
        await pilot.press("5")
        assert app.form.config.minutes == 0
        await pilot.press("escape")
        await pilot.pause()
        assert app.form.config == preset_config()


async def test_a_bad_text_stays_marked_when_the_field_is_left() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "layers")
        await pilot.press("9", "9", "down")
        await pilot.pause()
        assert app.focused is not field
        assert app.form.errors["layers"].endswith("got 99.")
        assert field.text == "99"
        assert app.form.config.layers == 1
        field.focus()
        await pilot.press("right", "backspace", "backspace", "2")  # → moves the caret: a wrong value has no next one
        await pilot.pause()
        assert not app.form.errors
        assert app.form.config.layers == 2


async def test_arrows_change_numbers_and_go_between_rows() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await focus(app, pilot, "hidden")
        await pilot.press("right")
        assert app.form.config.hidden == 512
        await pilot.press("left", "left")
        assert app.form.config.hidden == 128
        await pilot.press("down")
        assert app.focused is app.form.field("layers")
        await pilot.press("up", "up")
        assert app.focused is app.form.field("cell")


async def test_arrow_marks_and_the_wheel_change_a_number() -> None:
    """By mouse alone; the wheel turns a number only after a click, so that scrolling past changes nothing."""
    app = FormApp(RunConfig(clip_threshold=1.0))
    async with app.run_test(size=(80, 24)) as pilot:
        field = app.form.field("clip_threshold")
        right = field.size.width - 1
        field._on_mouse_scroll_up(scroll_event(field))
        await pilot.pause()
        assert app.form.config.clip_threshold == 1.0
        await pilot.click(field, offset=(right, 0))
        assert app.form.config.clip_threshold == 2.0
        await pilot.click(field, offset=(right - 2, 0))
        assert app.form.config.clip_threshold == 1.0
        field._on_mouse_scroll_up(scroll_event(field))
        await pilot.pause()
        assert app.form.config.clip_threshold == 2.0


def scroll_event(field: KnobField):  # type: ignore[no-untyped-def]
    from textual.events import MouseScrollUp

    return MouseScrollUp(field, 0, 0, 0, 0, 0, False, False, False)


async def typed(app: FormApp, pilot: Pilot[None], keys: str) -> None:
    """All of `keys` at once, before any is handled."""
    for character in keys:
        name = {"\n": "enter", "\b": "backspace"}.get(character, character)
        app.post_message(events.Key(name, character if character.isprintable() else None))
    await pilot.pause()
    await pilot.pause()


async def test_a_field_shows_what_was_typed_until_it_is_right_or_escaped() -> None:
    """Never the old value in red, however fast the keys come; Backspace edits what is seen."""
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "layers")
        await typed(app, pilot, "99\n")
        await until(pilot, lambda: bool(field.error))
        assert (field.text, app.form.config.layers) == ("99", 1)
        await typed(app, pilot, "\b")
        assert field.text == "9"
        await pilot.press("left", "delete", "2", "enter")
        assert (field.text, field.editing, app.form.config.layers) == ("2", False, 2)
        await typed(app, pilot, "\b\n")
        await until(pilot, lambda: bool(field.error))
        assert field.text == ""
        await pilot.press("escape")
        assert (field.text, field.error) == ("2", "")


async def test_each_of_many_keys_typed_at_once_is_in_the_field() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "hidden")
        await typed(app, pilot, "12345")
        await until(pilot, lambda: app.form.config.hidden == 12345)
        assert field.text == "12345"


async def test_what_is_no_number_is_not_taken_into_a_number() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "hidden")
        await typed(app, pilot, "4x8 t")
        assert (field.text, app.form.config.hidden) == ("48", 48)
        app.post_message(events.Paste("many"))
        await until(pilot, lambda: bool(app._notifications))
        assert "“many” was not taken" in next(iter(app._notifications)).message
        assert field.text == "48"


async def test_what_is_typed_when_a_run_ends_or_changes_the_same_knob_stays() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.state.phase = Phase.TRAINING
        app.form.forget()
        field = await focus(app, pilot, "lr")
        await typed(app, pilot, "0.0")
        app.state.take(Tuned(step=1, knob="lr", value=0.001))
        app.state.phase = Phase.STOPPED
        app.form.show_run(app.state)
        assert field.text == "0.0"
        await typed(app, pilot, "2\n")
        await until(pilot, lambda: app.form.config.lr == 0.02)
        assert (field.text, field.editing) == ("0.02", False)


async def test_keys_pressed_faster_than_they_are_handled_all_count() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await focus(app, pilot, "cell")
        for key in ("down", "down", "down"):
            app.post_message(events.Key(key, None))
        await until(pilot, lambda: app.focused is app.form.field("clip"))
        for name, value in (("hidden", 1024), ("optimizer", "muon")):
            field = await focus(app, pilot, name)
            for key in ("right", "right", "right", "left"):
                app.post_message(events.Key(key, None))
            await until(pilot, lambda: getattr(app.form.config, name) == value == field.value)  # noqa: B023


async def test_no_key_is_lost_however_keys_and_answers_fall_together() -> None:
    app = FormApp()
    draw = random.Random(1)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(30):
            field = await focus(app, pilot, "optimizer")
            values = [value for value, _ in field.options.values]
            presses = draw.randint(3, 8)
            wanted = values[(values.index(field.value) + presses) % len(values)]
            for _ in range(presses):
                app.post_message(events.Key("right", None))
                for _ in range(draw.choice((0, 0, 1, 2, 3, 4, 5, 7, 9, 12))):
                    await asyncio.sleep(0)  # lets other tasks go on, and waits for none
            await until(pilot, lambda: app.form.config.optimizer == wanted)  # noqa: B023
            await pilot.pause()
            assert field.value == app.form.config.optimizer == wanted


async def test_preset_fills_the_form_and_editing_makes_it_custom() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        row = app.form.query_one("#knob-preset", KnobField)
        row.focus()
        await pilot.pause()
        assert row.text == "quick"
        await pilot.press("right")
        assert row.text == "tiny"
        assert app.form.config == preset_config("tiny")
        app.form.set_value("hidden", 64)
        await pilot.pause()
        assert row.text == "custom"
        assert app.form.field("hidden").changed
        assert not app.form.field("layers").changed
        assert "hidden" in row.help_text
        await pilot.press("left")
        assert row.text == "tiny"
        assert app.form.config == preset_config("tiny")


async def test_every_preset_can_be_chosen_and_keeps_the_corpus() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.set_value("corpus", "python-docs")
        row = app.form.query_one("#knob-preset", KnobField)
        row.focus()
        seen = set()
        for _ in PRESETS:
            await pilot.press("right")
            seen.add(row.text)
            assert app.form.config.corpus == "python-docs"
            assert not app.form.errors
        assert seen == set(PRESETS)


async def test_one_length_clears_the_others() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.form.config.minutes
        await focus(app, pilot, "steps")
        await pilot.press("5", "0")
        config = app.form.config
        assert (config.steps, config.epochs, config.minutes) == (50, 0, 0)
        assert app.form.field("minutes").text == "no limit"


async def test_knobs_that_do_nothing_are_still_and_skipped() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        threshold = app.form.field("clip_threshold")
        await pilot.pause()
        y = threshold.region.y
        app.form.set_value("clip", "off")
        await focus(app, pilot, "clip")
        await pilot.press("down")
        assert app.focused is app.form.field("lr")
        assert threshold.irrelevant
        assert threshold.region.y == y  # nothing jumps
        assert "clip = norm or value" in threshold.help_text


async def test_two_knobs_that_must_agree_can_be_changed_one_after_the_other() -> None:
    """tie wants embedding = hidden: the first change waits as a draft until the second makes both right."""
    app = FormApp(with_values(RunConfig(), {"embedding": 256, "hidden": 256, "tie": True}))
    async with app.run_test(size=(80, 24)) as pilot:
        await focus(app, pilot, "hidden")
        await pilot.press(*"128", "enter")
        await pilot.pause()
        assert "hidden" in app.form.errors
        assert app.form.config.hidden == 256
        await focus(app, pilot, "embedding")
        await pilot.press(*"128", "enter")
        await pilot.pause()
        assert not app.form.errors
        assert (app.form.config.hidden, app.form.config.embedding, app.form.config.tie) == (128, 128, True)


async def test_while_training_only_live_knobs_change_and_are_posted_as_tuned() -> None:
    app = FormApp(RunConfig(clip_threshold=1.0))
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.more = True
        app.state.phase = Phase.TRAINING
        app.form.forget()
        await pilot.pause()
        live = {name for name, spec in knobs().items() if spec.knob.live}
        unlocked = {field.spec.name for field in app.form.query(KnobField) if field.can_focus}
        assert unlocked == live
        assert "While training" in app.form.field("cell").help_text
        assert "While training" in note(app)
        await focus(app, pilot, "clip_threshold")
        await pilot.press("right")
        await focus(app, pilot, "clip")
        await pilot.press("left")
        assert app.tuned == [("clip_threshold", 2.0), ("clip", "off")]
        assert app.configs == []
        with pytest.raises(ConfigError, match="while training"):
            app.form.set_value("hidden", 8)
        app.state.phase = Phase.STOPPED
        app.form.show_run(app.state)
        await pilot.pause()
        assert app.form.field("cell").can_focus


async def test_a_rate_typed_while_training_is_sent_when_it_is_whole() -> None:
    """On the way from 1 to 1e-3 the trainer must not train a step with a rate of 1."""
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.state.phase = Phase.TRAINING
        app.form.forget()
        await focus(app, pilot, "lr")
        await pilot.press(*"1e-3")
        assert app.tuned == []
        assert not app.form.errors
        await pilot.press("enter")
        await pilot.pause()
        assert app.tuned == [("lr", 0.001)]
        await pilot.press(*"0.005", "up")
        await pilot.pause()
        assert app.tuned == [("lr", 0.001), ("lr", 0.005)]


async def test_opening_a_file_is_the_last_corpus() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        field = await focus(app, pilot, "corpus")
        await pilot.press("right", "right")
        await until(pilot, lambda: field.text == OPEN_FILE)
        assert app.form.config.corpus == "python-docs"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.posted[-1], SetupForm.CorpusFileWanted)
        assert field.text == "python-docs"
        app.form.set_value("corpus", "/somewhere/my words.txt")
        await pilot.pause()
        assert field.text == "my words.txt"
        await pilot.press("left")
        assert app.form.config.corpus == "python-docs"


async def test_setting_the_config_posts_nothing_and_forgets_errors() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await focus(app, pilot, "layers")
        await pilot.press("0")
        assert app.form.errors
        app.posted.clear()
        app.state.confirm(preset_config("exploding"))
        app.form.forget()
        await pilot.pause()
        assert not app.form.errors
        assert app.posted == []
        assert app.form.field("cell").text == "rnn"


async def test_more_settings_open_by_key_and_by_mouse() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 40)) as pilot:
        row = app.form.query_one(MoreRow)
        row.focus()
        await pilot.press("enter")
        assert app.form.more
        await pilot.pause()
        assert app.form.query_one("#knob-dropout").region.height == 1
        await pilot.click(row)
        assert not app.form.more


async def test_every_field_has_help_with_range_and_default() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)):
        app.form.more = True
        for name, spec in knobs().items():
            text = app.form.field(name).HELP
            assert spec.knob.help in text
            assert spec.allowed in text
            assert "Default" in text


async def test_the_help_panel_shows_the_field_that_has_the_focus() -> None:
    app = FormApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await focus(app, pilot, "clip_threshold")
        app.action_show_help_panel()
        await pilot.pause()
        await pilot.pause()
        shown = app.screen.query_one("HelpPanel Markdown", Markdown)
        assert "largest norm" in shown.source


@pytest.mark.parametrize("name", [name for name, spec in knobs().items() if spec.kind in ("int", "float")])
def test_nudging_stays_within_the_limits_and_moves(name: str) -> None:
    """From the default up and down as far as it goes: each value is allowed, and each step goes the right way."""
    spec = knobs()[name]
    for direction in (1, -1):
        value = spec.default
        for _ in range(80):
            after = nudged(spec, value, direction)
            spec.check(after)
            assert (float(after) - float(value)) * direction >= 0
            value = after
    assert nudged(spec, spec.default, 1) != spec.default


@pytest.mark.parametrize("name", [name for name, spec in knobs().items() if spec.kind in ("int", "float")])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_nudge_back_returns_to_the_value_before_it(name: str, direction: int) -> None:
    """Also from one that is on no round step, such as a threshold of 0.3, and after several in a row."""
    spec, nudges = knobs()[name], Nudges()
    way = [spec.default]
    for _ in range(5):
        there = nudges.nudged(spec, way[-1], direction)
        if there == way[-1]:
            break
        way.append(there)
    for before in reversed(way[:-1]):
        assert nudges.nudged(spec, way.pop(), -direction) == before


def test_a_value_that_was_typed_is_where_nudges_begin() -> None:
    nudges = Nudges()
    assert nudges.nudged("clip_threshold", 0.3, -1) == pytest.approx(0.2)
    assert nudges.nudged("clip_threshold", 0.2, 1) == 0.3
    assert nudges.nudged("clip_threshold", 0.3, -1) == pytest.approx(0.2)
    assert nudges.nudged("clip_threshold", 0.7, 1) == pytest.approx(1.0), "0.7 was typed instead"


@pytest.mark.parametrize(
    ("name", "value", "up", "down"),
    [
        ("clip_threshold", 1.0, 2.0, 0.5),
        ("lr", 0.002, 0.005, 0.001),
        ("lr", 0.003, 0.005, 0.002),
        ("hidden", 256, 512, 128),
        ("hidden", 300, 512, 256),
        ("layers", 1, 2, 1),
        ("minutes", 0.0, 1.0, 0.0),
        ("dropout", 0.0, 0.05, 0.0),
        ("input_dropout", 0.0, 0.05, -1.0),
        ("input_dropout", -1.0, 0.0, -1.0),
        ("eval_every", 200, 500, 100),
        ("seed", 7, 8, 6),
    ],
)
def test_nudging_gives_round_numbers(name: str, value: float, up: float, down: float) -> None:
    assert nudged(name, value, 1) == pytest.approx(up)
    assert nudged(name, value, -1) == pytest.approx(down)
