"""Gathers the pages of the site: README and docs/ with their links rewritten, lessons, and reference from the code."""

from __future__ import annotations

import re
from pathlib import Path

from rnnplay.lessons.reader import lessons
from tools.site.lessons import WORDS, lesson_pages, path_of
from tools.site.links import rewritten
from tools.site.reference import help_page, json_page, keys_page

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "README.md": "index.md",
    "corpora/README.md": "corpora.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages of the repository outside docs/, and where they are on the site."""
FIRST_MINUTES = "first-ten-minutes.md"
EXAMPLES = ("train_and_sample.py", "load_in_pytorch.py", "plot_metrics.py", "rnnplay.vim")
LANGUAGE_OF = {".py": "python", ".vim": "vim", ".toml": "toml", ".sh": "sh"}

Nav = list[dict[str, "str | Nav"] | str]


class Site:
    """The pages as Markdown and the pictures, by their path on the site."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.pictures: dict[str, Path] = {}
        self._read_readme()
        for path in sorted((ROOT / "docs").rglob("*.md")):
            self._add(path.relative_to(ROOT / "docs").as_posix(), path.relative_to(ROOT).as_posix())
        for source, page in ELSEWHERE.items():
            if page not in self.pages:
                self._add(page, source)
        self.pages |= lesson_pages()
        self.pages |= {"reference/help.md": help_page(), "reference/keys.md": keys_page()}
        self.pages["reference/json.md"] = json_page()
        for name in EXAMPLES:
            self._place(f"examples/{name}")

    def _read_readme(self) -> None:
        """The first page is README's head with what to read next; its first ten minutes are a page of their own."""
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
        (minutes,) = (section for section in sections if section.startswith("## The first ten minutes"))
        onward = (Path(__file__).parent / "onward.md").read_text(encoding="utf-8")
        self.pages["index.md"] = rewritten(head, "README.md", "index.md", self._place, _title) + onward
        self.pages[FIRST_MINUTES] = rewritten(minutes[1:], "README.md", FIRST_MINUTES, self._place, _title)

    def _add(self, page: str, source: str) -> None:
        text = (ROOT / source).read_text(encoding="utf-8")
        self.pages[page] = rewritten(text, source, page, self._place, _title)

    def _place(self, source: str) -> str | None:
        """Returns where a file of the repository is on the site; a file of code gets a page when a link leads to it."""
        path = ROOT / source
        if source in ELSEWHERE:
            return ELSEWHERE[source]
        if not path.is_file():
            return None
        if lesson := re.fullmatch(r"rnnplay/lessons/texts/([^/]+)/(en|zh)\.md", source):
            return f"lesson/{lesson[2]}/{lesson[1]}.md"
        if source.startswith("docs/"):
            place = source.removeprefix("docs/")
            if path.suffix != ".md":
                self.pictures[place] = path
            return place
        page = f"source/{source}.md"
        if page not in self.pages:
            code = path.read_text(encoding="utf-8").rstrip()
            self.pages[page] = f"# {source}\n\n`````{LANGUAGE_OF.get(path.suffix, 'text')}\n{code}\n`````\n"
        return page

    def write(self, folder: Path) -> None:
        """Writes pages and pictures into `folder`."""
        for name, text in self.pages.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        for name, picture in self.pictures.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.read_bytes())
        (folder / "site.css").write_bytes((Path(__file__).parent / "site.css").read_bytes())

    def nav(self) -> Nav:
        """Returns the navigation, as MkDocs takes it."""
        courses: Nav = [
            {words.title: [f"lesson/{code}/index.md", *(path_of(lesson, code) for lesson in lessons())]}
            for code, words in WORDS.items()
        ]
        sources: Nav = [page for page in sorted(self.pages) if page.startswith("source/")]
        inside: Nav = [*(f"{name}.md" for name in INSIDE), {"Source files": sources}]
        return [
            {"Start": ["index.md", FIRST_MINUTES, "platforms.md"]},
            {"Lessons": courses},
            {"How to": [f"howto/{name}.md" for name in HOW_TO]},
            {"Subjects": [f"{name}.md" for name in SUBJECTS]},
            {"Reference": [f"{name}.md" for name in REFERENCE]},
            {"Inside": inside},
        ]


def _title(source: str) -> str:
    """Returns the title of a page in the repository."""
    return (ROOT / source).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


HOW_TO = ("own-text", "compare-cells", "clip-threshold", "editor", "python", "course", "cluster")
SUBJECTS = ("race", "sweeps", "export", "health", "lessons", "serve", "distributed", "corpora")
REFERENCE = ("commands", "reference/help", "options", "keys", "reference/keys", "reference/json", "run-folder")
INSIDE = (
    "architecture",
    "measurements/performance",
    "measurements/reliability",
    "measurements/lessons",
    "decisions",
    "contributing",
    "changelog",
)
"""Pages by section, in order; MkDocs, being strict, refuses a page that is in none of them."""
