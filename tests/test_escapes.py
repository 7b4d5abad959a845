"""What stands in a text, a name, a card, a vocabulary or a file never moves the cursor, nor runs as markup."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widgets import Input

from rnnplay.cli.main import program
from rnnplay.common.terminal_text import sanitize, sanitize_line
from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.engine.client import EngineExit
from rnnplay.inspection.results import Candidate
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Started
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.training.trainer import Trainer
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.runs.preview_text import preview_lines
from rnnplay.tui.runs.run_list import RunList
from rnnplay.tui.screens.file_picker import FilePicker, TextTree
from rnnplay.tui.textual_patches.output import SanitizedLines
from rnnplay.tui.widgets.visible import visible_line, visible_text, visible_token
from rnnplay.workspace import Workspace
from tests.conftest import small_text
from tests.tui.stage import Stage, until

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal, and file names of any kind", allow_module_level=True)

from tests.support.terminal import Terminal, rnnplay_command

PAYLOAD = "\x1b]52;c;UFdORUQ=\x07\x1b[6666;1H\x9b5555;1H\x1bP+q\x1b\\\u202etxet\u2066\r\x08\x7f\u2028"
"""Writes to the clipboard, moves the cursor in 7 and 8 bits, asks the terminal, turns the line, goes back in it."""
MARKUP = "[red]x[@click=app.quit]y[b"
NAME = f"a{PAYLOAD}{MARKUP}".replace("\\", "").replace("\u2028", "")
"""A file's, with all of it that a path may have on every system."""

HARMFUL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
OUR_OWN = re.compile(rb"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r\n|\r(?=\x1b\[2K)")
"""What the commands write themselves: colours, the cursor hidden and shown, the bar drawn over."""

TINY = {"hidden": 4, "embedding": 3, "batch_size": 4, "bptt": 8, "threads": 1, "steps": 2, "device": "cpu"}

DRIVER = """
import json, sys
from rnnplay.cli.main import program
for arguments in json.load(open(sys.argv[1], "rb")):
    print("$", flush=True)
    try:
        program.main(arguments)
    except SystemExit as ended:
        print(f"\\nended {ended.code}", flush=True)
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which everything that can hold a sequence does; with runs on a text of little else."""
    workspace = Workspace(tmp_path_factory.mktemp("hostile") / f"w{MARKUP}").create()
    hostile_text = "".join(f"{PAYLOAD}{MARKUP} {word}\n" for word in small_text(1_500).split())
    (workspace.corpora / f"{NAME}.txt").write_text(hostile_text, encoding="utf-8", newline="")
    (workspace.corpora / "plain.txt").write_text(hostile_text, encoding="utf-8", newline="")
    shown = json.dumps(PAYLOAD + MARKUP)
    (workspace.corpora / "card.toml").write_text(
        f'file = "plain.txt"\ntitle = {shown}\nsummary = {shown}\nlicence = {shown}\n'.replace("\\u007f", "\\u007F"),
        encoding="utf-8",
    )
    (workspace.corpora / "broken.toml").write_text(f"{json.dumps(PAYLOAD)} = 1\n", encoding="utf-8")
    path = workspace.corpora / f"{NAME}.txt"
    for tokens, run in (("char", "characters"), ("word", "words")):
        config = RunConfig(corpus=str(path), tokens=tokens, **TINY)  # type: ignore[arg-type]
        corpus = encode_corpus(find_corpus(str(path), workspace), config, workspace.cache)
        trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / run), emit=lambda _: None)
        while trainer.advance() is None:
            pass
    spoilt = workspace.checkpoints / "spoilt"
    spoilt.mkdir()
    (spoilt / "run.json").write_text(json.dumps({"format": 1, "run": PAYLOAD, PAYLOAD: 1}), encoding="utf-8")
    return workspace


def check_bytes(raw: bytes) -> None:
    """Nothing but what rnnplay writes itself."""
    text = OUR_OWN.sub(b"", raw).decode()
    found = HARMFUL.search(text)
    assert found is None, text[max(0, found.start() - 200) : found.end() + 50]


def commands(workspace: Workspace) -> list[list[str]]:
    path = str(workspace.corpora / f"{NAME}.txt")
    settings = workspace.root / f"{NAME}.toml"
    settings.write_text(f"{json.dumps(PAYLOAD)} = 1\n", encoding="utf-8")
    wrong = workspace.root / f"{NAME}-wrong.toml"
    wrong.write_text(f"cell = {json.dumps(PAYLOAD)}\n", encoding="utf-8")
    broken = workspace.root / f"{NAME}-broken.toml"
    broken.write_bytes(b"cell = \x1b[31m\xc2\x9b")
    tiny = [part for name, value in TINY.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    sampling = ["--length", "150", "--temperature", "5", "--seed", "1"]
    return [
        ["runs"],
        ["runs", "--json"],
        ["runs", "show", "characters"],
        ["runs", "show", "spoilt"],
        ["runs", "show", PAYLOAD],
        ["runs", "rm", "--yes", PAYLOAD],
        ["corpora"],
        ["corpora", "--json"],
        ["corpora", "show", path],
        ["corpora", "show", "card"],
        ["corpora", "show", "card", "--json"],
        ["corpora", "show", "broken"],
        ["corpora", "show", PAYLOAD],
        ["corpora", "add", path],
        ["corpora", "add", path, "--name", PAYLOAD],
        ["doctor"],
        ["generate", "characters", "--prompt", PAYLOAD, *sampling],
        ["generate", "words", "--prompt", f"{PAYLOAD} unheard", *sampling],
        ["generate", "characters", "--json", "--prompt", PAYLOAD, *sampling],
        ["generate", "characters", "--checkpoint", PAYLOAD],
        ["complete", "characters", f"a{PAYLOAD}é\u202e", "--bars", "30"],
        ["complete", "words", f"a {PAYLOAD}", "--bars", "30", "--json"],
        ["eval", "characters"],
        ["eval", "characters", "--corpus", path + "x"],
        ["train", "--corpus", path, "--run", "anew", *tiny],
        ["train", "--corpus", PAYLOAD],
        ["train", "--run", PAYLOAD],
        ["train", "--preset", PAYLOAD],
        ["train", "--cell", PAYLOAD],
        ["train", f"--{PAYLOAD}"],
        ["train", PAYLOAD],
        [PAYLOAD],
        ["train", "--config", str(settings)],
        ["train", "--config", str(wrong)],
        ["train", "--config", str(broken)],
        ["train", "--config", str(workspace.root / PAYLOAD.replace("/", ""))],
        ["--workspace", PAYLOAD, "runs"],
    ]


def test_no_command_lets_a_sequence_through_to_a_terminal(hostile: Workspace, tmp_path: Path) -> None:
    """All in one process, so that torch is loaded once."""
    wanted = commands(hostile)
    (tmp_path / "commands.json").write_text(json.dumps(wanted))
    (tmp_path / "driver.py").write_text(DRIVER)
    env = {"RNNPLAY_WORKSPACE": str(hostile.root), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "commands.json")]
    with Terminal(command, 200, 60, env) as terminal:
        terminal.wait_for_exit(120)
        while terminal.read(0.2):
            pass
        raw = bytes(terminal.transcript)
    parts = raw.split(b"$\r\n")[1:]
    assert len(parts) == len(wanted)
    codes = []
    for arguments, part in zip(wanted, parts, strict=True):
        check_bytes(part)
        assert b"Traceback" not in part
        codes.append((arguments, int(part.split(b"ended ")[-1])))
    assert not [pair for pair in codes if pair[1] not in (0, 2)]
    refused = [arguments for arguments, code in codes if code == 2]
    assert len(refused) == 21, refused
    assert raw.count("␛".encode()) > 50  # it was all there, and is shown


def test_generated_text_in_a_pipe_is_exact(hostile: Workspace) -> None:
    arguments = ["--workspace", str(hostile.root), "generate", "characters", "--prompt", PAYLOAD]
    arguments += ["--length", "200", "--temperature", "5", "--seed", "3"]
    plain = CliRunner().invoke(program, arguments)
    spelt = json.loads(CliRunner().invoke(program, [*arguments, "--json"]).stdout)
    assert plain.stdout_bytes.decode() == PAYLOAD + spelt["text"] + "\n"  # its last line is ended
    assert "\x1b" in spelt["text"]
    assert "\x9b" in spelt["text"]


@pytest.mark.parametrize("shown", [sanitize, sanitize_line, visible_text, visible_line, visible_token])
def test_the_visible_forms_are_harmless(shown: object) -> None:
    assert callable(shown)
    every = "".join(map(chr, range(0x11_0000)))
    assert not HARMFUL.search(shown(every).replace("\n", "").replace("\t", ""))
    kept = "héß 漢字 🙂 👨‍👩‍👧 עברית"
    assert shown(kept).replace("␣", " ") == kept


# --- the terminal interface ------------------------------------------------------------------------------------


def screen_text(app: App[None]) -> str:
    """All that would be written to the terminal, without styles."""
    lines: Iterable[Iterable[Segment]] = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


def check_screen(app: App[None]) -> str:
    text = screen_text(app)
    found = HARMFUL.search(text)
    assert found is None, repr(text[max(0, found.start() - 100) : found.end() + 20])
    return text


@pytest.fixture
def stage(hostile: Workspace, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(hostile)
    monkeypatch.setattr("rnnplay.tui.run_controller.EngineClient", made.engine_client)
    return made


async def test_the_interface_shows_names_samples_and_messages_in_visible_forms(stage: Stage) -> None:
    path = str(stage.workspace.corpora / f"{NAME}.txt")
    app = stage.open(config=RunConfig(corpus=path, steps=10))
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        await pilot.pause()
        stage.engine.say(messages.Ready(pid=1, torch="2", device="cpu"))
        await pilot.press("t")
        await pilot.pause()
        started = Started(run="run", parameters=9, vocabulary=9, device="cpu", precision="float32", threads=1, step=0)
        stage.engine.say(messages.Preparing(what=PAYLOAD, done=1, total=2))
        app.playground.show_state()
        await pilot.pause()
        assert "␛]52;c" in check_screen(app)  # in the line of status, in the form
        stage.engine.say(messages.Progress(records=[started]))
        app.playground.show_state()
        await pilot.press("g")
        app.playground.prompt.text = PAYLOAD + MARKUP
        await pilot.pause()
        asked = stage.engine.of(messages.Complete)[-1]
        stage.engine.say(
            messages.Completion(
                request=asked.request,
                suggestion=PAYLOAD,
                next=[Candidate(token=token, probability=0.1) for token in (*PAYLOAD, MARKUP)],
                unknown=[PAYLOAD, MARKUP],
                step=3,
            )
        )
        await pilot.press("enter")
        await pilot.pause()
        sample = stage.engine.of(messages.Sample)[-1]
        assert sample.prompt == PAYLOAD + MARKUP
        stage.engine.say(messages.SampleText(request=sample.request, text=f"{MARKUP}{PAYLOAD}\n" * 3, done=True))
        stage.engine.say(messages.Failed(message=f"{MARKUP} failed: {PAYLOAD}", command="tune"))
        for _ in range(200):
            await pilot.pause()
            if "failed" in (shown := check_screen(app)):
                break
        assert f"{MARKUP} failed" in shown
        assert shown.count(MARKUP) >= 5
        assert shown.count("␛]52;c") >= 5
        for told in (
            RunController.EngineEnded(
                stage.controller, EngineExit(1, stage.engine.log, (PAYLOAD, MARKUP), asked=False)
            ),
            RunController.EngineStartFailed(stage.controller, PAYLOAD + MARKUP),
        ):
            app.playground.post_message(told)
        await pilot.pause()
        assert MARKUP in check_screen(app)
        assert app.is_running


async def test_runs_and_their_corpora_are_no_markup(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        app.playground.action_runs()
        await app.workers.wait_for_complete()
        await pilot.pause()
        rows = app.screen.query_one(RunList)
        await until(pilot, lambda: len(rows.text()) > 2)
        await pilot.click(RunList, offset=(40, 2))
        await pilot.pause()
        assert app.is_running  # a click on a name quits nothing
        await until(pilot, lambda: "␛" in "".join(rows.text()) or "␛" in check_screen(app))
        told = [line.plain for row in app.screen._browser.rows for line in preview_lines(row.run, None, None)]  # type: ignore[attr-defined]
        assert any("␛]52;c" in line and MARKUP in line for line in told)


class PickerApp(App[None]):
    """The file picker alone, without the app's last gate."""

    def __init__(self, start: Path) -> None:
        super().__init__()
        self._start_in = start
        self.answers: list[str | None] = []

    def on_mount(self) -> None:
        self.push_screen(FilePicker(Workspace(self._start_in), self._start_in), self.answers.append)


async def test_names_in_the_file_picker(hostile: Workspace) -> None:
    app = PickerApp(hostile.corpora)
    async with app.run_test(size=(160, 40)) as pilot:
        tree = app.screen.query_one(TextTree)
        for _ in range(2_000):
            if len(tree.root.children) >= 4:
                break
            await pilot.pause()
        labels = [str(node.label) for node in tree.root.children]
        (strange,) = (label for label in labels if label.startswith("a"))
        assert strange == visible_line(f"{NAME}.txt")
        tree.focus()
        tree.move_cursor(tree.root.children[labels.index(strange)])
        await pilot.pause()
        await pilot.press("enter")
        for _ in range(2_000):
            if app.answers:
                break
            await pilot.pause()
        assert app.answers == [str(hostile.corpora / f"{NAME}.txt")]


async def test_wrong_paths_in_the_file_picker(
    hostile: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is explained, none ends the program."""
    app = PickerApp(hostile.corpora)
    (tmp_path / "loop").symlink_to("loop")
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause()
        path = app.screen.query_one(Input)
        for typed in (
            PAYLOAD,
            "~nobody_of_that_name/x",
            "a\0b",
            "x" * 5_000,
            "/dev/zero",
            str(tmp_path / "loop"),
            "\udc80",
        ):
            path.focus()
            path.value = typed
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
            said = app.screen.query_one("#file-say").render()
            assert app.screen.query_one("#file-say").has_class("-error"), typed
            assert not HARMFUL.search(str(said))
        assert app.answers == []
    monkeypatch.setattr(Path, "cwd", classmethod(_deleted))
    assert FilePicker(Workspace(Path.home()))._folder == Path.home()


def _deleted(_: type[Path]) -> Path:
    raise FileNotFoundError(2, "No such file or directory")


def test_the_last_gate_keeps_widths_and_takes_out_the_rest() -> None:
    ours = Segment("\x1b[31m", None, [(ControlType.BELL,)])
    line = [Segment("plain", Style(bold=True)), Segment(PAYLOAD + "\udc80漢"), ours]
    found = SanitizedLines().apply(line, Color(0, 0, 0))
    assert found[0] == line[0]
    assert found[1].text == HARMFUL.sub("", PAYLOAD).replace("\r", "") + "\N{REPLACEMENT CHARACTER}漢"
    assert found[2] is line[2]  # rnnplay's own
    clean = [Segment("漢字 plain")]
    assert SanitizedLines().apply(clean, Color(0, 0, 0)) is clean


def test_raw_bytes_of_the_interface(hostile: Workspace, tmp_path: Path) -> None:
    """With its real engine: a run on a hostile text is opened, a sample written, the runs listed."""
    env = {"RNNPLAY_CONFIG": str(tmp_path / "settings.json"), "OMP_NUM_THREADS": "1"}
    command = rnnplay_command("--workspace", str(hostile.root))
    with Terminal(command, 140, 45, env) as terminal:
        terminal.wait_for("ready", 60)
        terminal.send("o")
        terminal.wait_for(lambda text: re.search("char(acters|…)", text) is not None)  # its long corpus takes room
        terminal.wait_for(lambda text: "␛" in text or "�" in text)  # in the name of its corpus, wherever it is broken
        terminal.send("o")  # opens the newest for prompts
        terminal.wait_for(lambda text: "Enter writes a sample" in text, 60)
        terminal.send("g")
        terminal.send("a\r")
        terminal.wait_for(lambda text: "seed" in text and len(re.findall("[␛␇␈␡]", text.split("seed")[-1])) > 1, 60)
        terminal.send("\x1b")
        terminal.send("\x11")
        terminal.wait_for_exit()
        raw = bytes(terminal.transcript)
    assert b"\x1b]52;" not in raw
    assert not re.search(rb"\x1b\[(?:6666|5555)", raw)
    assert b"\x1bP+q" not in raw
    text = raw.decode()
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069\u2028]", text)
