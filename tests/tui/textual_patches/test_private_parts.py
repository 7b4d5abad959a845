"""What rnnplay replaces or calls of Textual's private parts is as it was when that was written.

A failure says: Textual has changed this; read what it does now, see that rnnplay/tui/textual_patches still fits (try it
in a terminal, too), and put the new fingerprint here and the version into rnnplay/tui/textual_patches/__init__.py.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import textual
from textual import _compositor, _parser, _wrap, _xterm_parser, expand_tabs
from textual._styles_cache import StylesCache
from textual.app import App
from textual.command import CommandPalette
from textual.content import Content
from textual.document._wrapped_document import WrappedDocument
from textual.driver import Driver
from textual.notifications import Notifications
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.widgets import Input, OptionList, TextArea

import rnnplay.tui.textual_patches

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="another driver")

FINGERPRINTS = {
    "XTermParser.parse": "a5834ad1def8",
    "XTermParser.parse_mouse_code": "ceae22ff03d1",
    "XTermParser._sequence_to_key_events": "00dfe99846ed",
    "XTermParser._parse_extended_key": "65eeaadaf41a",
    "Parser.feed": "390106cde019",
    "Parser.tick": "44606084ad3b",
    "ChopsUpdate": "7c7d3e0bf714",
    "LinuxDriver": "ec65992e0f98",
    "WriterThread": "411a9202bed5",
    "Driver.process_message": "af9cb0baaf15",
    "Driver.suspend_application_mode": "20cef4924da3",
    "App._handle_exception": "baea2e7f88e7",
    "App._fatal_error": "2474616cec7f",
    "App._print_error_renderables": "6e6be4034677",
    "CommandPalette._on_click": "1d644a55e632",
    "CommandPalette._action_command_list": "48813d9c9f89",
    "Toast.render": "343e8e6c9c11",
    "App._register": "8b2138af0f6b",
    "App._prune": "be1dc93ca461",
    "AwaitMount": "1ddd5e1481d7",
    "App._shutdown": "c264035bcb62",
    "App._watch_app_focus": "ed02ca94ee99",
    "Screen._binding_chain": "003c1b578e69",
    "Screen._screen_resized": "9ac8cd9df563",
    "Screen.dismiss": "0c6d250ef5e6",
    "Screen._refresh_layout": "889715478130",
    "Screen._compositor_refresh": "7a40efe56381",
    "StylesCache.get_inner_outer": "d2509f3e7966",
    "Content._wrap_and_format": "6bf904d927f5",
    "Notifications.add": "f1bd3ea1bf27",
    "OptionList._move_page": "85f7f3300576",
    "WrappedDocument": "6f7940460260",
    "compute_wrap_offsets": "3b70f925334d",
    "chunks": "c4f02d285ec6",
    "get_tab_widths": "7f52116b9629",
    "TextArea._set_document": "3bea23d1becf",
    "TextArea.edit": "21cc90872992",
    "TextArea._on_key": "7d96cf803349",
    "Input._watch_value": "ffa57a58cea1",
    "Input._on_paste": "4130f8efa484",
    "Input._on_key": "55068e7ce456",
    "WebDriver": "dc02f19cc0a1",
    "ByteStream": "57ed813eb4df",
    "AppService": "4230f4b4c138",
}

ELSEWHERE = {"tui/widgets/text.py": "Toast.render"}
"""Modules that take one private class, to draw it in another way; and what of it."""


@cache
def sources() -> dict[str, str]:
    from textual.drivers import _byte_stream, _writer_thread, linux_driver, web_driver
    from textual_serve.app_service import AppService

    from rnnplay.tui.widgets import text

    parts: dict[str, Callable[..., object]] = {
        "XTermParser": _xterm_parser.XTermParser,
        "Parser": _parser.Parser,
        "ChopsUpdate": _compositor.ChopsUpdate,
        "LinuxDriver": linux_driver.LinuxDriver,
        "WriterThread": _writer_thread.WriterThread,
        "Driver": Driver,
        "App": App,
        "AwaitMount": AwaitMount,
        "CommandPalette": CommandPalette,
        "Content": Content,
        "Notifications": Notifications,
        "OptionList": OptionList,
        "Screen": Screen,
        "StylesCache": StylesCache,
        "Toast": vars(text)["Toast"],
        "Input": Input,
        "TextArea": TextArea,
        "WebDriver": web_driver.WebDriver,
        "ByteStream": _byte_stream.ByteStream,
        "AppService": AppService,
        "WrappedDocument": WrappedDocument,
        "compute_wrap_offsets": _wrap.compute_wrap_offsets,
        "chunks": _wrap.chunks,
        "get_tab_widths": expand_tabs.get_tab_widths,
    }
    names = {name: name.partition(".") for name in FINGERPRINTS}
    return {name: source_of(parts[owner], member) for name, (owner, _, member) in names.items()}


def source_of(part: Callable[..., object], member: str) -> str:
    """The lines of a class, one of its methods or a function in its file, which a patch in place does not change."""
    file = Path(inspect.getsourcefile(part) or "").read_text("utf-8")
    defined = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    (wanted,) = [node for node in ast.parse(file).body if isinstance(node, defined) and node.name == part.__name__]
    if member:
        (wanted,) = [node for node in wanted.body if isinstance(node, defined) and node.name == member]
    first = min([wanted.lineno, *[decorator.lineno for decorator in wanted.decorator_list]])
    return "".join(file.splitlines(keepends=True)[first - 1 : wanted.end_lineno])


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_textual_has_not_changed_it(name: str) -> None:
    assert hashlib.sha256(sources()[name].encode()).hexdigest()[:12] == FINGERPRINTS[name]


def test_the_version_that_it_was_tried_with_is_the_one_installed() -> None:
    assert f"Textual {textual.__version__}." in (rnnplay.tui.textual_patches.__doc__ or "")


def test_private_modules_are_imported_in_one_place() -> None:
    package = Path(rnnplay.__file__).parent
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) textual[\w.]*\._|^from textual[\w.]* import _", path.read_text("utf-8"), re.M)
    }
    assert {name for name in found if not name.startswith("tui/textual_patches/")} == set(ELSEWHERE)
