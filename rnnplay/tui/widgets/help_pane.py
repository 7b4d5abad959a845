"""Help for what has the focus, and below it the keys of the screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import HelpPanel, Markdown, Static


class HelpPane(HelpPanel):
    """As Textual's, but without the keys that the widget's own help has told already, and those of scrolling."""

    DEFAULT_CSS = """
    HelpPane {
        width: 33%; min-width: 36; max-width: 60; padding: 0 1; border-left: vkey $border;
        & #widget-help { max-height: 60%; margin: 0; background: transparent; }
        & #widget-help MarkdownBlock { padding: 0 1; }
        & #screen-keys { width: 1fr; height: auto; padding: 0 1; border-top: solid $border-blurred; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Markdown(id="widget-help")
        yield Static(id="screen-keys")

    def on_mount(self) -> None:
        super().on_mount()
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._show_keys())
        self._show_keys()

    def _show_keys(self) -> None:
        rows: dict[str, str] = {}
        for namespace, binding, _, _ in self.screen.active_bindings.values():
            if namespace in (self.screen, self.app) and binding.description and not binding.system:
                rows.setdefault(binding.description, self.app.get_key_display(binding))
        lines = [Content.assemble((f"{key:>9}", "bold $accent"), f"  {says}") for says, key in rows.items()]
        self.query_one("#screen-keys", Static).update(Content("\n").join(lines))
