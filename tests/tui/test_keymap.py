"""keymap.toml: every key can be changed, what cannot be used is refused in a sentence, and texts name the new key."""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.pilot import Pilot

import rnnplay.lessons
import rnnplay.tui
from rnnplay.engine import messages
from rnnplay.tui import keymap
from rnnplay.tui.app import RnnplayApp
from rnnplay.tui.keymap import key_name, with_keys_in_force
from rnnplay.tui.keys.catalogue import PLACES, TABLE, catalogue, keymap_text
from rnnplay.tui.keys.declarations import declared, node_classes, own_bindings, table_text
from rnnplay.tui.keys.keymap_file import keymap_path, load_keymap, read_keymap
from rnnplay.tui.keys.names import key_label, parse_key
from rnnplay.tui.screens.inspect import InspectScreen
from rnnplay.tui.screens.playground.screen import PlaygroundScreen
from rnnplay.tui.screens.race.screen import RaceScreen
from rnnplay.tui.screens.runs.browser import RunsScreen
from rnnplay.tui.screens.writing.screen import WritingScreen
from rnnplay.tui.textual_patches.key_chain import install_keymap
from tests.tui.stage import Stage, footer_keys, until


@pytest.fixture(autouse=True)
def default_keys_afterwards() -> Iterator[None]:
    yield
    keymap.use({})


def write(text: str) -> Path:
    keymap_path().write_text(text, encoding="utf-8")
    return keymap_path()


def everything_changed() -> dict[str, str]:
    """Another key for every id; no two have the same one."""
    letters = "abdefgjklnopqrstuvwxyz0123456789éèüöäñç"
    used = {key for entry in catalogue({}) for key in entry.keys}
    new = (
        key
        for before in ("alt", "ctrl+alt", "alt+super", "super", "ctrl+alt+super", "ctrl+super", "ctrl")
        for key in (f"{before}+{letter}" for letter in letters)
        if parse_key(key) not in used and key not in ("super+c", "ctrl+p", "ctrl+h")
    )
    return {entry.id: next(new) for entry in catalogue({})}


def toml(keys: dict[str, str]) -> str:
    return "".join(f'{one} = "{key}"\n' for one, key in keys.items())


def test_every_binding_has_an_id_of_a_known_place_and_one_default() -> None:
    defaults: dict[str, set[str]] = {}
    assert TABLE.read_text("utf-8") == table_text(), "run: python -m rnnplay.tui.keys.declarations"
    for entry in catalogue({}):
        assert entry.place in PLACES
    for node in node_classes():
        for binding in own_bindings(node) if node.__module__.startswith("rnnplay.") else ():
            defaults.setdefault(binding.id or "", set()).add(binding.key)
    assert {one: keys for one, keys in defaults.items() if len(keys) > 1} == {}


def test_the_keys_are_read_without_the_screens() -> None:
    """`rnnplay keys` would take most of a second more, and so would each start with a keymap.toml."""
    code = (
        "import sys; from rnnplay.tui.keys.catalogue import keymap_text; assert 'train' in keymap_text(); "
        "print(*[one for one in ('torch', 'numpy', 'textual.app', 'rnnplay.tui.app') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_defaults_as_a_keymap_are_accepted_and_change_nothing() -> None:
    """Also: whatever has one key by default on one screen may go on having it."""
    path = write("\n".join(line.removeprefix("# ") if " = " in line else line for line in keymap_text().splitlines()))
    assert path.read_text("utf-8").count(" = ") > 200
    assert read_keymap(path) == ({}, [])


def test_a_keymap_with_every_binding_changed_leaves_no_default_key() -> None:
    keys = everything_changed()
    found, problems = read_keymap(write(toml(keys)))
    assert problems == []
    assert {one: " ".join(new) for one, new in found.items()} == {one: parse_key(key) for one, key in keys.items()}
    keymap.use(found)
    assert len(declared()) == len(found)  # all screens are imported
    for node in node_classes():
        own = own_bindings(node) if node.__module__.startswith("rnnplay.") else []
        bindings = keymap.remapped(BindingsMap(own))
        assert {(key, one.action) for key, one in bindings} == {(found[one.id or ""][0], one.action) for one in own}


async def test_the_interface_works_with_every_binding_changed(stage: Stage) -> None:
    keys = everything_changed()
    write(toml(keys))

    async def press(pilot: Pilot[None], one: str) -> None:
        await pilot.press(parse_key(keys[one]))

    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("t")
        assert not stage.engine.of(messages.Train), "the default key still trains"
        assert footer_keys(stage.playground)[keys["playground.train"]] == "Train"
        await press(pilot, "playground.train")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))
        await stage.train(pilot)
        await press(pilot, "playground.clip")
        assert stage.engine.of(messages.Tune)
        await press(pilot, "inspection.view-2")
        assert isinstance(stage.app.screen, InspectScreen)
        await press(pilot, "everywhere.back")
        await press(pilot, "everywhere.back")
        assert isinstance(stage.app.screen, PlaygroundScreen)
        await press(pilot, "playground.runs")
        assert isinstance(stage.app.screen, RunsScreen)
        await press(pilot, "everywhere.back")
        await press(pilot, "playground.prompt")
        await pilot.press("t", "x", "q")
        assert stage.prompt.text.endswith("txq"), "letters are text in the prompt"
        await press(pilot, "everywhere.train")
        assert stage.engine.of(messages.Pause)
        await press(pilot, "everywhere.help-typing")
        await until(pilot, lambda: bool(stage.playground.query("HelpPane")))
        assert key_name("everywhere.back") == keys["everywhere.back"]


@pytest.mark.parametrize("opened", ["", "i 3", "i 8", "l", "o", "R", "W", "g", "f9"])
async def test_each_new_key_acts_and_no_old_one_does(
    stage: Stage, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each screen and view: whatever is bound there is run by its new key, and its default key runs nothing.

    On a dialog only those keys of the application work that have priority.
    """
    app = stage.open()
    async with app.run_test(size=(120, 40)) as pilot:
        await stage.train(pilot)
        await pilot.press(*opened.split())
        await until(pilot, lambda: app.focused is not None or not app.screen.focus_chain)
        write(toml(everything_changed()))
        assert install_keymap() == []
        ran: list[str] = []

        async def note(action: Any, *_: object) -> bool:
            ran.append(action)
            return True

        monkeypatch.setattr(app, "run_action", note)
        nodes = (app.focused or app.screen).ancestors_with_self
        dialog = app.screen.is_modal
        here = [one for node in nodes for one in own_of(node) if node is not app or one.priority or not dialog]
        assert len(here) > 5
        actions: dict[str, set[str]] = {}
        for one in here:
            actions.setdefault(one.id or "", set()).add(one.action)
        for name, wanted in actions.items():
            (key,) = keymap.changed()[name]
            ran.clear()
            assert await app._check_bindings(key, priority=True) or await app._check_bindings(key), name
            assert ran[0] in wanted, name
        ran.clear()
        for key in {parse_key(key) for one in here for key in one.key.split(",")}:
            await app._check_bindings(key, priority=True)
            await app._check_bindings(key)
        assert not set(ran) & set().union(*actions.values())


def own_of(node: DOMNode) -> list[Binding]:
    """What rnnplay binds on a node, with what its classes inherit from one another."""
    kinds = [one for one in type(node).__mro__ if one.__module__.startswith("rnnplay.") and issubclass(one, DOMNode)]
    return [binding for kind in kinds for binding in own_bindings(kind)]


async def test_a_command_moved_from_a_letter_to_a_combination_works_while_text_is_typed(stage: Stage) -> None:
    """Textual takes the keys of text away before it applies a keymap."""
    write('playground.runs = "ctrl+b"')
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await stage.train(pilot)
        await pilot.press("g", "o")
        assert isinstance(stage.app.screen, PlaygroundScreen)
        await pilot.press("ctrl+b")
        assert isinstance(stage.app.screen, RunsScreen)


async def test_keys_that_share_one_stay_where_they_are_if_another_moves_away(stage: Stage) -> None:
    """Textual's own keymap drops them: the view's `l` with the playground's, or `t` that says why nothing happens."""
    write('playground.stop = "Z"')
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("t")
        await stage.train(pilot)
        await pilot.press("x")
        assert not stage.engine.of(messages.Stop)
        await pilot.press("Z")
        assert stage.engine.of(messages.Stop)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('playground.trian = "k"', "line 1: there is no key 'playground.trian'; did you mean playground.train?"),
        ('[playground]\n\ntrain = "foo"', "line 3: playground.train: there is no key 'foo'; write it like t, T, +,"),
        ('playground.train = "shift+t"', "there is no key 'shift+t'; write 'T'."),
        ("playground.train = 7", 'playground.train must be a key in quotes, like "t", or several'),
        ("playground.train = []", 'playground.train must be a key in quotes, like "t", or several'),
        ('playground.train = "x"', "line 1: playground.train: x is already the key of playground.stop on the same"),
        ('playground.train = "y"', "playground.train: y is already the key of chart.log-y on the same screen"),
        ('playground.train = "enter"', "enter moves or presses what has the focus"),
        ('playground.train = "ctrl+p"', "ctrl+p is taken everywhere (the palette of commands)"),
        ('playground.train = "ctrl+i"', "ctrl+i is tab in most terminals, and tab moves or presses"),
        ('scratchpad.take = "ctrl+h"', "ctrl+h is backspace in most terminals, and typing needs backspace"),
        ('everywhere.quit = "q"', "typing needs q, and this key works while text is typed"),
        ('scratchpad.take = "space"', "typing needs space"),
        ("a = 1\nb = x", 'line 2 is b = x; write b = "x". The keys are the default ones.'),
        ('a = "\x00"', "is not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(text: str, says: str) -> None:
    found, problems = read_keymap(write(text))
    assert found == {}
    assert len(problems) >= 1
    assert says in " ".join(problems)
    assert all("\n" not in one and one.endswith((".", "?")) for one in problems)


def test_the_example_of_the_documentation_is_taken_as_it_stands() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    found, problems = read_keymap(write(example))
    assert not problems
    assert found["playground.threshold-up"] == ("k", "ctrl+k")


def test_of_two_that_clash_the_one_above_holds_and_the_rest_works() -> None:
    found, problems = read_keymap(write('[playground]\nstop = "k"\nclip = "k"\nnew = ["N", "ctrl+n"]\n'))
    assert found == {"playground.stop": ("k",), "playground.new": ("N", "ctrl+n")}
    assert problems == [
        f"{keymap_path()}, line 3: playground.clip: k is already the key of playground.stop on the same screen; "
        "take another, or change both."
    ]


def test_two_keys_can_be_swapped() -> None:
    found, problems = read_keymap(write('playground.train = "x"\nplayground.stop = "t"'))
    assert (found, problems) == ({"playground.train": ("x",), "playground.stop": ("t",)}, [])


def test_places_that_are_never_on_one_screen_may_have_the_same_key() -> None:
    found, problems = read_keymap(write('gates.layer = "m"\nrunning.x = "a"\ngradient.layer = "m"'))
    assert set(found) == {"gates.layer", "gradient.layer"}
    assert len(problems) == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 70_000, b"[playground]\n" * 2])
def test_a_broken_file_never_keeps_the_interface_from_opening(content: bytes) -> None:
    keymap_path().write_bytes(content)
    found, problems = load_keymap()
    assert found == {}
    assert len(problems) == 1


def test_a_folder_in_place_of_the_file_is_said() -> None:
    keymap_path().mkdir()
    assert len(load_keymap()[1]) == 1


async def test_refused_lines_are_said_when_the_interface_opens(stage: Stage) -> None:
    write('playground.train = "x"')
    async with stage.open().run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        assert any("already the key of playground.stop" in toast for toast in stage.toasts)
        await pilot.press("t")
        await until(pilot, lambda: bool(stage.engine.of(messages.Train)))


def test_help_names_the_key_in_force() -> None:
    keymap.use({"playground.train": ("T",), "inspection.view-3": ("f9",), "chart.zoom-in": ("up",)})
    text = "`t` trains, `[i 3]` looks, `]` zooms, `x` stops, `rnnplay runs` lists, `lr` is a rate."
    from rnnplay.tui.chart.chart import Chart

    said = "`T` trains, `[i F9]` looks, `↑` zooms, `x` stops, `rnnplay runs` lists, `lr` is a rate."
    assert with_keys_in_force(text, [Chart, PlaygroundScreen]) == said


@pytest.mark.parametrize(
    "text", ["t", "T", "+", "-", "=", "/", ",", "[", "é", "ctrl+k", "Ctrl+K", "ctrl++", "F5", "esc"]
)
def test_a_key_is_named_as_it_is_written(text: str) -> None:
    assert parse_key(key_label(parse_key(text))) == parse_key(text)


@pytest.mark.parametrize("text", ["foo", "ctrl+", "shift+a", "ctrl+ctrl+a", "hyper+x", "f99", "ab", "+a", "ctrl+foo"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^.*$"):
        parse_key(text)


FIXED_IN_HELP = {
    "WrittenScreen": "up down",
    "SamplesScreen": "up down",
    "LessonsScreen": "up down",
    "WritingScreen": "right enter ctrl+y",
    "CompareScreen": "tab",
    "ExportScreen": "up down tab enter",
    "RaceDialog": "tab",
    "GoBackScreen": "enter",
    "DownloadsScreen": "enter",
    "FilePicker": "enter tab space",
    "Ask": "enter",
    "Confirm": "tab enter",
    "ChoiceList": "up down enter",
    "WhatIfView": "enter",
    "ClippingView": "up down",
    "GhostArea": "right enter ctrl+y ctrl+z",
    "SampleColumn": "up down home end",
    "GhostInput": "right enter",
    "InspectedText": "enter",
    "LessonPane": "tab",
}
"""Keys that a help text names and no keymap changes: those by which Textual moves the focus and the cursor, presses
what has the focus, sends a line off, and undoes."""

FIXED_IN_TEXTS = (
    "A paste has begun and not ended; press Escape",  # the byte itself ends it, whatever is bound to the key
    "Enter writes a sample from here.",  # the prompt's line is sent off; from here on as above
    "Enter: ",
    "Enter downloads it, ",
    "stopped; Enter goes on from there",
    "Enter on a folder opens it here.",
    ". Enter again ",
    " Space marks files and folders to take together.",
    " marked; Enter on a marked one takes ",
    ". Enter again ",
    "Enter or ",
    "Enter goes back: later steps are discarded. ",
    "Enter chooses what it takes over, ",
    " exists. Enter again overwrites it.",
    "type a prompt and press Enter, or press {",
    "choose  tab settings  {",
    "↑ ↓ format  tab path  enter write  {",
    "tab, enter",
    "tab，回车",
    "回车：从这里生成样本。",
    "space  enter  escape  tab  f5  up",  # keymap.toml's own head, and what it refuses
    "write it like t, T, +, f5, ctrl+k or alt+1",
    """ must be a key in quotes, like "t", or several, like ["t", "f9"].""",
)

KEY_WORDS = re.compile(
    r"(?<![\w{./-])(?:(?:ctrl|alt|shift)\+\S+|enter|escape|esc|tab|backspace|pg ?(?:up|dn)|page(?:up|down)|f\d{1,2}"
    r"|arrow keys|Space|(?<=with )space|(?<=then )space|\(space\)|[Pp]ress \w|回车|按空格|方向键)(?![\w}])",
    re.IGNORECASE,
)


def texts_on_screen(path: Path) -> Iterator[str]:
    """Yields the strings of a module, without docstrings, bindings and names of keys."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", [])
        left_out.update(id(one.value) for one in body if isinstance(one, ast.Expr)) if isinstance(body, list) else None
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Binding", "parse_key"):
            left_out.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


def test_no_text_names_a_key_that_can_be_another() -> None:
    """It would tell whoever changed the key to press the wrong one: such a text has the key's id in braces."""
    found: list[str] = []
    met: set[str] = set()
    for path in Path(rnnplay.tui.__file__).parent.rglob("*.py"):
        for text in texts_on_screen(path):
            prose = re.sub(r"`[^`\n]+`", "", text)  # a key in a help text; the next test has those
            if re.fullmatch(r"[\w+,-]+", text) or not KEY_WORDS.search(prose):
                continue
            fixed = [one for one in FIXED_IN_TEXTS if one in text]
            met.update(fixed)
            if not fixed:
                found.append(f"{path.name}: {text}")
    assert found == []
    assert met == set(FIXED_IN_TEXTS), "what is listed is still said"
    for page in (Path(rnnplay.lessons.__file__).parent / "texts").rglob("*.md"):
        assert not re.findall(rf"`[+=-]`|{KEY_WORDS.pattern}", page.read_text("utf-8")), page


def test_no_help_names_a_key_that_can_be_another() -> None:
    """With every key changed, what a help text still names by its default cannot be changed."""
    declared()
    keymap.use({one: (parse_key(key),) for one, key in everything_changed().items()})
    defaults = {key for entry in catalogue({}) for key in entry.keys} | {"enter", "tab"}
    hosts: dict[str, type[DOMNode]] = {
        "inspection": InspectScreen,
        "race": RaceScreen,
        "runs": RunsScreen,
        "writing": WritingScreen,
    }
    fixed: dict[str, set[str]] = {}
    for node in node_classes():
        own = node.__dict__.get("HELP")
        if not isinstance(own, str) or not node.__module__.startswith("rnnplay."):
            continue
        folder = node.__module__.split(".")[2]
        host: type[DOMNode] = node if folder == "screens" else hosts.get(folder, PlaygroundScreen)
        around: list[type[DOMNode]] = [node, host, RnnplayApp]
        told = with_keys_in_force(own, around)
        assert "{" not in told, node
        assert not KEY_WORDS.search(re.sub(r"`[^`]+`", "", told)), node
        words: set[str] = set()
        for word in re.sub(r"[\[\]]", "", " ".join(re.findall(r"`([^`]+)`", told))).split():
            with contextlib.suppress(ValueError):
                words.add(parse_key(word))
        if words & defaults:
            fixed[node.__name__] = words & defaults
    assert fixed == {name: set(keys.split()) for name, keys in FIXED_IN_HELP.items()}


def test_every_key_that_a_text_names_is_one() -> None:
    known = {entry.id for entry in catalogue({})}
    named: set[str] = set()
    for path in Path(rnnplay.tui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.update(one.lower() for one in keymap._ID.findall(node.value))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "key_name":
                named.update(str(one.value) for one in itertools.islice(node.args, 1) if isinstance(one, ast.Constant))
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "KEYS" and node.attr != "replace":
                named.add("playground." + node.attr.replace("_", "-"))
    assert len(named) > 20
    assert named <= known
