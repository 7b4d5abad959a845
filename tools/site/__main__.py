"""Builds the site: python -m tools.site [--out build/site] [--pages-only]

Makes the pages from README.md, docs/, the lessons and the program itself in OUT/pages, and has MkDocs with the theme
Material make OUT/html of them, strictly: a broken link, also to a heading, or a page that the navigation lacks fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tools.site.pages import Site


def prepare(out: Path) -> Path:
    """Writes pages and mkdocs.yml into `out`, replacing those of an earlier build; returns the latter's path."""
    site = Site()
    shutil.rmtree(out / "pages", ignore_errors=True)
    site.write(out / "pages")
    config = (Path(__file__).parent / "mkdocs.yml").read_text(encoding="utf-8")
    nav = json.dumps(site.nav(), ensure_ascii=False)
    (out / "mkdocs.yml").write_text(f"{config}\nnav: {nav}\n", encoding="utf-8", newline="\n")
    return out / "mkdocs.yml"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.site", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("build/site"), help="where pages/ and html/ are made")
    parser.add_argument("--pages-only", action="store_true", help="make no HTML")
    options = parser.parse_args()
    config = prepare(options.out)
    if not options.pages_only:
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config)]
        # Material tells on every build until when it is maintained; docs/decisions.md has it.
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        done = subprocess.run(command, check=False, env=environment, stderr=subprocess.PIPE, encoding="utf-8")
        if done.returncode:
            sys.exit(done.stderr)
        # A browser keeps its search from files that no server sent.
        html = options.out / "html"
        print(f"The site is in {html}; open index.html there, or, to search it, http://localhost:8000 after")
        print(shlex.join(["python3", "-m", "http.server", "-b", "localhost", "-d", str(html)]))


if __name__ == "__main__":
    main()
