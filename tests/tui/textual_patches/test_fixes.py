"""Windows too small for a widget, windows whose size changes quickly, and clicks on removed widgets."""

from __future__ import annotations

from weakref import ref

import pytest
from rich.console import RenderableType
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.events import MouseDown, Resize
from textual.geometry import Size
from textual.notifications import Notifications
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from textual.widgets._toast import Toast

from rnnplay.tui.textual_patches import fixes
from rnnplay.tui.textual_patches.fixes import fix_textual, is_on_removed
from rnnplay.tui.widgets.key_row import KeyRow
from tests.tui.stage import Stage, until


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Content, "_wrap_and_format", fixes._wrap_and_format)
    monkeypatch.setattr(Screen, "_screen_resized", fixes._screen_resized)
    monkeypatch.setattr(Screen, "_compositor_refresh", fixes._compositor_refresh)
    monkeypatch.setattr(OptionList, "_move_page", fixes._move_page)
    monkeypatch.setattr(Notifications, "add", fixes._add)
    monkeypatch.setattr(StylesCache, "get_inner_outer", fixes._inner_outer)
    monkeypatch.setattr(Screen, "dismiss", fixes._dismiss)
    fix_textual()


async def test_a_dialog_is_closed_only_while_it_is_in_front() -> None:
    """Of two, each answered twice, and the one behind too early: none takes another's place, or is answered again."""
    answers: list[int | None] = []
    async with App[None]().run_test() as pilot:
        app = pilot.app
        dialogs = [ModalScreen[int](), ModalScreen[int]()]
        for dialog in dialogs:
            await app.push_screen(dialog, answers.append)
        dialogs[0].dismiss(1)
        assert len(app.screen_stack) == 3
        for dialog in reversed(dialogs):
            dialog.dismiss(2)
            dialog.dismiss(3)
        assert len(app.screen_stack) == 1
        await until(pilot, lambda: answers == [2, 2])


async def test_a_page_in_a_list_that_is_not_laid_out_ends_nothing() -> None:
    class Flat(App[None]):
        CSS = "OptionList { height: 0; border: none; padding: 0; }"

        def compose(self) -> ComposeResult:
            yield OptionList(*"abcdefgh")

    async with Flat().run_test() as pilot:
        options = pilot.app.query_one(OptionList)
        options.highlighted = 3
        options._move_page(1)
        options._move_page(-1)
        assert options.highlighted == 3


async def test_a_sentence_that_is_said_again_is_there_once() -> None:
    async with App[None]().run_test(notifications=True) as pilot:
        for _ in range(5):
            pilot.app.notify("That is the last variant.", severity="warning")
            pilot.app.notify("Another sentence.")
        await pilot.pause()
        await pilot.pause()
        assert [str(one.render()) for one in pilot.app.screen.query(Toast)] == [
            "That is the last variant.",
            "Another sentence.",
        ]


async def test_a_list_without_room_ends_nothing() -> None:
    class Narrow(App[None]):
        CSS = "OptionList { width: 2; height: auto; }"

        def compose(self) -> ComposeResult:
            yield OptionList("words of some length")

    async with Narrow().run_test() as pilot:
        assert pilot.app.is_running
        await pilot.pause()


@pytest.mark.parametrize("wrap", ["wrap", "nowrap"])
@pytest.mark.parametrize("width", [-2, 0, 1])
def test_any_text_has_a_height_at_any_width(width: int, wrap: str) -> None:
    assert Content("words").get_height({"text_wrap": wrap, "line_pad": 1}, width) >= 1  # type: ignore[typeddict-item]


def test_what_a_widget_has_drawn_goes_with_it() -> None:
    drawn = StylesCache()
    background = Color(1, 2, 3)
    inner, outer = drawn.get_inner_outer(background, Color(7, 7, 7, 0.5))
    assert outer.background == background != inner.background
    gone = ref(drawn)
    del drawn
    assert gone() is None


async def test_two_sizes_at_once_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """During a batch, when a layout is followed by a callback, they are not merged into one."""
    refresh, layouts = Screen._refresh_layout, 0

    def counted(screen: Screen[object], size: Size | None = None, scroll: bool = False) -> None:
        nonlocal layouts
        layouts += 1
        assert layouts < 50, "it never ends"
        refresh(screen, size, scroll)

    async with App[None]().run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        screen = pilot.app.screen
        with pilot.app.batch_update():
            pilot.app._size = Size(60, 20)
            for size in (Size(100, 30), Size(60, 20)):
                screen.post_message(Resize(size, size))
                screen.call_later(lambda: None)
            for _ in range(20):
                await pilot._wait_for_screen(timeout=5)
        assert screen.size == Size(60, 20)


async def test_a_click_on_a_widget_that_has_just_been_removed_is_none(stage: Stage) -> None:
    """Between its removal and the next drawing it stands where it was."""
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        row = app.screen.query_one(KeyRow)
        x, y = row.region.offset
        press = MouseDown(None, x, y, 0, 0, 1, False, False, False, x, y)
        assert not is_on_removed(press, app.screen)
        parent = row.parent
        row._parent = None
        try:
            assert is_on_removed(press, app.screen)
            await app.on_event(press)
        finally:
            row._parent = parent
        await pilot.pause()
        assert app.is_running and app._exception is None


@pytest.mark.parametrize(("modal", "most"), [(False, 0), (True, 3)])
async def test_a_change_behind_another_screen_is_painted_once_at_most(
    modal: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a dialog it is seen; behind a whole screen it is not."""
    async with App[None]().run_test(size=(80, 24)) as pilot:
        app = pilot.app
        behind = app.screen
        label = Static("before")
        await behind.mount(label)
        await app.push_screen(ModalScreen() if modal else Screen())
        await pilot.pause()
        painted: list[object] = []
        display = app._display

        def counted(screen: Screen[object], update: RenderableType | None) -> None:
            painted.append(update)
            display(screen, update)

        monkeypatch.setattr(app, "_display", counted)
        label.update("after", layout=False)
        for _ in range(10):
            await pilot.pause()
        assert len(painted) <= most
        app.pop_screen()
        for _ in range(3):
            await pilot.pause()
        assert "after" in "".join(strip.text for strip in app.screen._compositor.render_strips(app.size))
