"""A pane with the focused widget's help and, below it, its keys and those that the footer has no room for."""

from __future__ import annotations

from textwrap import dedent

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import HelpPanel, Markdown, Static

from rnnplay.tui.keymap import fill_keys, with_keys_in_force
from rnnplay.tui.widgets.key_row import KeyRow
from rnnplay.tui.widgets.visible import MUTED, code_drawn

EVERYWHERE = ("app.focus_", "screen.copy_")
"""Actions whose keys are the same in every program, including those for moving the focus."""


CLOSES = "`{everywhere.back}` or `{everywhere.help}` closes; `{everywhere.help-page-down}` goes on"


class HelpPane(HelpPanel):
    """Textual's help panel without keys that the widget's own help explains, and without scrolling keys."""

    DEFAULT_CSS = """
    HelpPane {
        width: 33%; min-width: 36; max-width: 60; padding: 0 1; border-left: vkey $border;
        overflow-y: auto; scrollbar-size-vertical: 1;
        & #widget-help { max-height: 400vh; margin: 0; background: transparent; }
        & #widget-help MarkdownBlock { padding: 0 1; }
        & #help-closes { dock: top; height: auto; padding: 0 1; margin-bottom: 1; background: $panel; }
        & #screen-keys { width: 1fr; height: auto; padding: 0 1; border-top: solid $border-blurred; }
    }
    """

    _helped: Widget | None = None
    """The widget whose help is shown; the focus may move before the pane is mounted."""

    def compose(self) -> ComposeResult:
        yield Static(
            code_drawn(fill_keys(CLOSES).replace("escape", "esc").replace("pagedown", "pgdn"), MUTED), id="help-closes"
        )
        yield Markdown(id="widget-help")
        yield Static(id="screen-keys")

    def on_mount(self) -> None:
        super().on_mount()  # type: ignore[no-untyped-call]
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._show_keys())
        self._show_keys()

    def update_help(self, focused_widget: Widget | None) -> None:
        """Shows the help of the widget below that of its view, or else the screen's."""
        if not self.app.app_focus or not self.screen.is_active:
            return
        nodes = focused_widget.ancestors_with_self if focused_widget is not None else []
        helpful = [node for node in nodes if isinstance(node, Widget) and node.HELP]
        told = [node for node in helpful if not isinstance(node, Screen)] or helpful
        self.set_class(bool(told), "-show-help")
        if focused_widget is not self._helped:
            self._helped = focused_widget
            self.scroll_home(animate=False)
        for pane in self.query("#widget-help").results(Markdown):
            pane.update(
                "\n".join(
                    with_keys_in_force(dedent((node.HELP or "").rstrip()), [*node.ancestors_with_self, self.app])
                    for node in reversed(told)
                )
            )

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_keys)  # the footer has less room

    def _show_keys(self) -> None:
        if not self.query("#screen-keys"):  # it was closed meanwhile
            return
        rows: dict[str, list[str]] = {}
        for namespace, binding, _, _ in self.screen.active_bindings.values():
            told = namespace not in (self.screen, self.app) or binding.action.startswith(EVERYWHERE)
            key = self.app.get_key_display(binding)
            if not told and binding.description and key not in rows.setdefault(binding.description, []):
                rows[binding.description].append(key)
        for row in self.screen.query(KeyRow):
            for left_out in row.left_out:
                rows.setdefault(left_out.description, [left_out.display])
        lines = [
            Content.assemble((f"{' '.join(keys[:2]):>9}", "bold $accent"), f"  {says.capitalize()}")
            for says, keys in rows.items()
        ]
        self.query_one("#screen-keys", Static).update(Content("\n").join(lines))
