"""The command palette, in bursts of keys and in a window that shrinks: it runs what was asked for, once, and lives."""

from __future__ import annotations

from asyncio import Event
from functools import partial

from textual import events
from textual.app import App
from textual.command import CommandList, DiscoveryHit, Hit, Hits, Provider
from textual.pilot import Pilot
from textual.screen import Screen

from rnnplay.tui.screens.palette import Palette
from tests.tui.stage import until


class Searched(Provider):
    """Finds what begins with a text, once the app says so."""

    async def discover(self) -> Hits:
        for title in ("Alpha", "Beta"):
            yield DiscoveryHit(title, partial(commands_of(self.app).done.append, title))

    async def search(self, query: str) -> Hits:
        await commands_of(self.app).found.wait()
        async for hit in self.discover():
            if hit.text is not None and hit.text.lower().startswith(query):
                yield Hit(1.0, hit.text, hit.command, hit.text)


class Commands(App[None]):
    """Two commands, which are noted where they are run."""

    COMMANDS = {Searched}  # noqa: RUF012  # as Textual declares it

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.done: list[str] = []
        self.found = Event()

    async def show(self, pilot: Pilot[None]) -> Palette:
        """Open the palette; all commands are in its list."""
        palette = Palette(id="--command-palette")
        self.push_screen(palette)
        await until(pilot, lambda: palette.is_mounted and palette.query_one(CommandList).option_count == 2)
        return palette

    def burst(self, text: str, *keys: str) -> None:
        """What comes in one piece, before any of it is handled."""
        for key in [*text, *keys]:
            self.post_message(events.Key(key, key if len(key) == 1 else None))


def commands_of(app: App[object]) -> Commands:
    """The app, as what it is here."""
    assert isinstance(app, Commands)
    return app


async def test_enter_right_after_letters_runs_what_they_find() -> None:
    app = Commands()
    async with app.run_test() as pilot:
        palette = await app.show(pilot)
        assert palette.query_one(CommandList).highlighted == 0  # Alpha
        app.burst("bet", "enter")
        await pilot.pause()
        app.found.set()
        await until(pilot, lambda: bool(app.done))
        assert app.done == ["Beta"]


async def test_enter_right_after_letters_that_find_nothing_runs_nothing() -> None:
    app = Commands()
    async with app.run_test() as pilot:
        palette = await app.show(pilot)
        app.burst("xyzzy", "enter")
        await pilot.pause()
        app.found.set()
        await until(pilot, lambda: not palette.query_one(CommandList).option_count)
        assert app.screen is palette
        assert not app.done


async def test_enter_twice_runs_it_once_and_leaves_the_screen_below() -> None:
    app = Commands()
    async with app.run_test() as pilot:
        await app.show(pilot)
        app.burst("", "enter", "enter")
        await until(pilot, lambda: bool(app.done) and len(app.screen_stack) == 1)
        assert app.done == ["Alpha"]


async def test_a_click_where_the_screen_has_ended_meanwhile_is_nothing() -> None:
    app = Commands()
    async with app.run_test() as pilot:
        palette = await app.show(pilot)
        palette.post_message(events.Click(palette, 500, 500, 0, 0, 1, False, False, False, screen_x=500, screen_y=500))
        await pilot.pause()
        assert app.screen is palette
        await pilot.click(offset=(0, app.size.height - 1))
        await until(pilot, lambda: app.screen is not palette)


async def test_escape_twice_leaves_the_screen_below() -> None:
    app = Commands()
    async with app.run_test() as pilot:
        below = Screen[None]()
        await app.push_screen(below)
        palette = await app.show(pilot)
        palette._action_escape()
        palette._action_escape()
        await until(pilot, lambda: app.screen is below and not palette.is_attached)


async def test_a_page_down_in_a_list_that_is_not_laid_out_is_nothing() -> None:
    app = Commands()
    async with app.run_test() as pilot:
        palette = await app.show(pilot)
        commands = palette.query_one(CommandList)
        options = list(commands.options)
        commands.clear_options()
        commands.styles.display = "none"
        await until(pilot, lambda: not commands.size)
        commands.add_options(options).set_reactive(CommandList.highlighted, 0)
        palette._action_command_list("page_down")
        assert app.screen is palette
