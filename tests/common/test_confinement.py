"""A confined process reaches nothing beyond its folder: no file, no network, no other program."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rnnplay.common.confinement import VARIABLE, check_online, check_reachable, confined, reachable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="served on POSIX systems")

NEEDED = {("list", "/proc"), ("scan", "/proc"), ("write", "/dev/null"), ("write by descriptor", "/dev/null")}
"""What psutil and torch do; none of it can be named in the interface."""
SECRET = "the secret of another visitor"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace with links that lead out of it, and a secret beside it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET * 100)
    (tmp_path / "secret.txt").write_text(SECRET * 100)
    home = tmp_path / "home"
    (home / "corpora").mkdir(parents=True)
    (home / "checkpoints").mkdir()
    (home / ".cache").mkdir()
    (home / "own.txt").write_text("my own text\n" * 100)
    (home / "link").symlink_to(outside)
    (home / "corpora" / "link.txt").symlink_to(outside / "secret.txt")
    (home / "loop").symlink_to("loop")
    os.mkfifo(home / "pipe")
    with zipfile.ZipFile(home / "packed.zip", "w") as packed:
        packed.writestr("../../secret.txt", "packed\n" * 50)
    (home / "packed.txt.gz").write_bytes(gzip.compress(b"packed\n" * 50))
    return home


def confined_python(home: Path, script: str, *words: str, **environment: str) -> str:
    """What `script` prints in a process that is confined to `home`."""
    given = {**os.environ, **environment, VARIABLE: str(home), "HOME": str(home), "PYTHONSAFEPATH": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, env=given, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


HOSTILE = """
import json, os, sys
from pathlib import Path
import rnnplay
from rnnplay.errors import RnnplayError
from rnnplay.experiments.export.destination import destination
from rnnplay.runs.folder import find_run
from rnnplay.text.corpora.adding import add_corpus
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.fetching import fetch
from rnnplay.text.corpora.reading import iter_text
from rnnplay.tui.screens.file_picker import check_text_file
from rnnplay.tui.writing.draft import open_draft, typed_path
from rnnplay.workspace import Workspace

home, secret = Path.cwd(), sys.argv[1]
workspace = Workspace(home)
names = json.load(open("names.json"))

def corpus(name):
    return "".join(iter_text(find_corpus(name, workspace).materialise(home / ".cache")))

def picked(name):
    check_text_file(Path(os.path.expanduser(name)))
    return "".join(iter_text(Path(os.path.expanduser(name))))

def asks(event, *given):
    # Only asked, never done: a gate that is broken must not cost the machine that tests it its files.
    sys.audit(event, *given)
    return "allowed"

ways = {
    "corpus": corpus,
    "file picker": picked,
    "scratchpad open": lambda name: open_draft(Path(os.path.expanduser(name)))[0].text,
    "scratchpad save": lambda name: str(typed_path(name)),
    "export": lambda name: str(destination(Path(name), "run.csv", False)),
    "run": lambda name: str(find_run(name, workspace).path),
    "added text": lambda name: add_corpus(Path(name), workspace, "added").path.read_text(),
    "download": lambda name: str(fetch(name, workspace, "fetched")),
    "read": lambda name: open(name, "rb").read(1000).decode("latin-1"),
    "list": lambda name: " ".join(os.listdir(name)),
    "scan": lambda name: " ".join(entry.name for entry in os.scandir(name)),
    "write": lambda name: asks("open", name, "r+b", os.O_RDWR),
    "write by descriptor": lambda name: asks("open", name, None, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    "remove": lambda name: asks("os.remove", name, -1),
    "remove a folder": lambda name: asks("os.rmdir", name, -1),
    "folder": lambda name: asks("os.mkdir", name, 0o777, -1),
    "move": lambda name: asks("os.rename", "own.txt", name, -1, -1),
    "move away": lambda name: asks("os.rename", name, "own.txt", -1, -1),
    "link": lambda name: asks("os.symlink", name, "made", -1),
    "hard link": lambda name: asks("os.link", name, "made", -1, -1),
    "mode": lambda name: asks("os.chmod", name, 0o777, -1),
    "cut": lambda name: asks("os.truncate", name, 0),
}
tried, leaked = 0, []
def inside(name):
    try:
        real = os.path.realpath(os.path.expanduser(name))
    except ValueError:
        return True
    except OSError:
        return False
    return real == str(home) or real.startswith(str(home) + os.sep)

def literally_inside(name):
    return inside(os.path.join(str(home), name))  # ~ is then a folder's name, as for the system

for way, act in ways.items():
    for name in names:
        typed = way in ("scratchpad open", "scratchpad save", "export", "run", "added text", "download")
        if (inside(name) if typed else literally_inside(name)) and way not in ("corpus", "file picker"):
            continue  # a visitor may do with the own workspace what they like
        tried += 1
        try:
            got = act(name)
        except (OSError, ValueError, RnnplayError, RuntimeError, AttributeError) as error:
            got = str(error) if way in ("corpus", "file picker") else ""
        if secret in str(got) or "root:x" in str(got) or (way not in ("corpus", "file picker", "read") and got):
            leaked.append([way, name[:100], str(got)[:100]])
print(json.dumps([tried, leaked]))
"""


def test_no_hostile_name_leads_out_by_any_way(home: Path) -> None:
    """Some 370 names, in every place where a visitor can type one, and at the gate itself."""
    from tests.support.hostile import names

    outside = home.parent / "outside"
    hostile = names(outside)
    assert len(set(hostile)) >= 350
    (home / "names.json").write_text(json.dumps(hostile))
    before = {path: path.read_bytes() for path in home.parent.rglob("*.txt") if home not in path.parents}
    tried, leaked = json.loads(confined_python(home, HOSTILE, SECRET))
    assert tried > 3_000
    assert [found for found in leaked if (found[0], found[1]) not in NEEDED] == []
    assert before == {path: path.read_bytes() for path in home.parent.rglob("*.txt") if home not in path.parents}
    assert sorted(path.name for path in home.parent.iterdir()) == ["home", "outside", "secret.txt"]


def test_what_is_there_beyond_is_not_told_from_what_is_not(home: Path) -> None:
    """An error that differs would answer whether a file exists."""
    script = """
import sys
from pathlib import Path
from rnnplay.errors import InputError
from rnnplay.experiments.export.destination import destination
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.tui.screens.file_picker import check_text_file
from rnnplay.tui.writing.draft import typed_path
from rnnplay.workspace import Workspace
for name in sys.argv[1:]:
    path = Path(name)
    for way in (lambda: find_corpus(name, Workspace(Path.cwd())), lambda: check_text_file(path),
                lambda: typed_path(name), lambda: destination(path, "x.csv", False)):
        try:
            way()
        except InputError as error:
            print(str(error).replace(name, "PATH"))
"""
    there, not_there = str(home.parent / "outside" / "secret.txt"), str(home.parent / "outside" / "nothing.txt")
    said = confined_python(home, script, there, not_there).splitlines()
    assert len(said) == 8
    assert len(set(said)) == 1
    assert "is outside of your workspace" in said[0]


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', 9), 1)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.socket().bind(('127.0.0.1', 0))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "urllib.request.urlopen('http://127.0.0.1:9/')",
        "urllib.request.urlopen('file:///etc/hostname')",
        "subprocess.run(['id'])",
        "subprocess.run('id', shell=True)",
        "subprocess.run([sys.executable, '-c', 'print(1)'])",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.posix_spawn('/bin/true', [sys.executable, '-m', 'rnnplay'], {})",
        "subprocess.run([sys.executable, '-m', 'rnnplay'], executable='/bin/true')",
        "os.chdir('/')",
        "os.truncate(OUTSIDE, 0)",
        "os.remove(OUTSIDE)",
        "os.rename(OUTSIDE, 'here.txt')",
        "os.rename('own.txt', OUTSIDE)",
        "os.symlink(OUTSIDE, 'here.txt')",
        "os.link(OUTSIDE, 'here.txt')",
        "os.chmod(OUTSIDE, 0o777)",
        "os.mkdir(OUTSIDE + '.folder')",
        "open(OUTSIDE, 'a')",
        "open('link/new.txt', 'x')",
        "open('corpora/link.txt', 'r+')",
        "shutil.rmtree(os.path.dirname(OUTSIDE))",
        "shutil.copy('own.txt', OUTSIDE)",
        "sqlite3.connect(OUTSIDE + '.sqlite')",
        "open('/proc/self/environ').read()",
        "open('/proc/self/task/../environ').read()",
        "open('/proc/1/cmdline').read()",
        "os.listdir('/')",
    ],
)
def test_files_outside_the_network_and_programs_are_refused(home: Path, attempt: str) -> None:
    """Done in earnest, so to nothing but what the test has made."""
    before = sorted(path.relative_to(home.parent) for path in home.parent.rglob("*"))
    script = f"""
import os, rnnplay, shutil, socket, sqlite3, subprocess, sys, urllib.request
OUTSIDE = sys.argv[1]
try:
    {attempt}
except OSError as error:
    print("refused", getattr(error, "reason", error))
else:
    print("done")
"""
    said = confined_python(home, script, str(home.parent / "outside" / "secret.txt"))
    assert said.startswith("refused")
    assert "Permission" in said or "from here" in said or "outside" in said
    assert sorted(path.relative_to(home.parent) for path in home.parent.rglob("*")) == before
    assert (home.parent / "outside" / "secret.txt").read_text() == SECRET * 100


def test_a_module_that_a_visitor_saves_is_never_imported(home: Path) -> None:
    """The current folder and the home folder are the visitor's: no process may take its modules from there."""
    from rnnplay.serve.visitors import Visitor
    from rnnplay.workspace import Workspace

    for name in ("msgspec.py", "rnnplay.py", "sitecustomize.py", "torch.py"):
        (home / name).write_text("print('owned')\n")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = home / ".local" / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "evil.pth").write_text("import sys; print('owned')\n")
    environment = Visitor("x", Workspace(home)).environment(80, 24)
    ran = subprocess.run(
        [sys.executable, "-m", "rnnplay", "corpora", "list"],
        capture_output=True, text=True, env=environment, cwd=home, timeout=30, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "owned" not in ran.stdout
    assert "tales" in ran.stdout


def test_no_folder_of_the_visitor_is_in_the_module_path() -> None:
    """Whether or not Python is in a virtual environment, which leaves out the user's folder by itself."""
    from rnnplay.serve.visitors import Visitor
    from rnnplay.workspace import Workspace

    environment = Visitor("x", Workspace(Path.cwd())).environment(80, 24)
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.flags.safe_path, sys.flags.no_user_site)"],
        capture_output=True, text=True, env=environment, timeout=30, check=True,
    )  # fmt: skip
    assert ran.stdout.split() == ["True", "1"]


def test_a_download_says_who_can_do_it(home: Path) -> None:
    script = """
import sys
from pathlib import Path
from rnnplay.errors import InputError
from rnnplay.text.corpora.fetching import fetch
from rnnplay.workspace import Workspace
for wanted in sys.argv[1:]:
    try:
        fetch(wanted, Workspace(Path.cwd()))
    except InputError as error:
        print(error)
"""
    wanted = ("text8", "file:///etc/passwd", "http://169.254.169.254/", "https://example.org/x.txt")
    said = confined_python(home, script, *wanted).splitlines()
    assert said == [
        f"{one} cannot be downloaded from here; ask whoever serves this playground for the text." for one in wanted
    ]


def test_processes_that_are_started_are_confined_too(home: Path) -> None:
    script = """
import subprocess, sys, rnnplay
ran = subprocess.run([sys.executable, "-m", "rnnplay", "corpora", "add", sys.argv[1]], capture_output=True, text=True)
print(ran.returncode, ran.stderr)
"""
    said = confined_python(home, script, str(home.parent / "secret.txt"))
    assert not said.startswith("0")
    assert "outside of your workspace" in said


def test_a_process_is_confined_once(home: Path) -> None:
    script = """
import sys
from pathlib import Path
import rnnplay
from rnnplay.common.confinement import confine, confined
confine(confined())
try:
    confine(confined().parent)
except ValueError as error:
    print(error)
"""
    assert "is confined to" in confined_python(home, script)


def test_a_process_of_its_own_user_is_free(tmp_path: Path) -> None:
    """What is checked in served playgrounds changes nothing in a terminal."""
    assert confined() is None
    assert reachable("/etc/passwd")
    check_reachable(tmp_path / ".." / "x")
    check_online("a text")
