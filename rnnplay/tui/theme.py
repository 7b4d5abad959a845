"""The two themes of rnnplay, in addition to Textual's own, and the widths in columns at which the layout changes."""

from __future__ import annotations

from textual.theme import Theme

TINY = 56
"""In narrower windows each pane of the playground has the width to itself."""
NARROW = 100
"""In narrower windows setup and lesson alternate with the charts."""
BROAD = 160
"""From this width on there are columns to spare."""

DARK = Theme(
    name="rnnplay-dark",
    primary="#7aa2f7",
    secondary="#9d8cf0",
    accent="#e0af68",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    foreground="#c8d0e8",
    background="#15161e",
    surface="#1a1b26",
    panel="#242636",
    dark=True,
    variables={
        "border": "#3b4261",
        "border-blurred": "#3b4261",
        "footer-key-foreground": "#e0af68",
        "footer-background": "#15161e",
        "input-selection-background": "#7aa2f7 35%",
        "scrollbar": "#3b4261",
        "scrollbar-hover": "#565f89",
        "scrollbar-background": "#15161e",
        "scrollbar-background-hover": "#15161e",
        "scrollbar-background-active": "#15161e",
    },
)

LIGHT = Theme(
    name="rnnplay-light",
    primary="#2e5cb8",
    secondary="#6b4fc8",
    accent="#a86400",
    success="#3d7a1f",
    warning="#a86400",
    error="#c4284a",
    foreground="#2b3040",
    background="#fafaf7",
    surface="#f2f2ee",
    panel="#e4e5e8",
    dark=False,
    variables={
        "border": "#b4b9c8",
        "border-blurred": "#b4b9c8",
        "footer-key-foreground": "#a86400",
        "footer-background": "#fafaf7",
        "scrollbar": "#b4b9c8",
        "scrollbar-hover": "#8f96aa",
        "scrollbar-background": "#fafaf7",
        "scrollbar-background-hover": "#fafaf7",
        "scrollbar-background-active": "#fafaf7",
    },
)

THEMES = (DARK, LIGHT)
