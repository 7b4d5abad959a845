"""Makes the text of the package's page: README.md without links that lead nowhere from there.

A package index shows neither files of the repository nor pictures in it. With an address of the repository in
`[project.urls]`, as `Source`, links and pictures lead there; without one a link is its text, and a picture is left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?!https?://|#)([^()\s]+)\)")


def package_page(readme: str, source: str = "") -> str:
    """Returns `readme` for a package index; `source` is the repository's address, such as "https://example.org/me/it"."""

    def change(match: re.Match[str]) -> str:
        picture, text, target = match.groups()
        if source:
            return f"{picture}[{text}]({source.rstrip('/')}/{'raw' if picture else 'blob'}/main/{target})"
        return "" if picture else text

    return re.sub(r"\n{3,}", "\n\n", LINK.sub(change, readme))


class PackagePage(MetadataHookInterface):
    """Sets the project's readme."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = (metadata.get("urls") or {}).get("Source", "")
        metadata["readme"] = {"content-type": "text/markdown", "text": package_page(readme, source)}
