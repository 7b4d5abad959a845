"""A report is one page that needs nothing else, in which what files say is only text."""

from __future__ import annotations

import json
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rnnplay.cli.main import program
from rnnplay.cli.support.settings import new_settings
from rnnplay.config import RunConfig
from rnnplay.experiments.export.curves import read_curves
from rnnplay.experiments.export.export import export
from rnnplay.experiments.export.report.facts import command_for, facts
from rnnplay.experiments.export.request import Export
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Notice
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import ROLLED_BACK, add_checkpoint, make_run, validation


class Page(HTMLParser):
    """The texts and the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(run: RunFolder, tmp_path: Path) -> Page:
    done = export(Export([run], "report", tmp_path / "run.html"))
    return Page(done.files[0].read_text(encoding="utf-8"))


def test_the_page_has_measures_validations_settings_and_events(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace)
    add_checkpoint(run)
    page = page_of(run, tmp_path)
    for wanted in (
        "run", "LSTM 1×8 on tales", "finished: length reached, step 3", "1.2500", "1,234", "1:00", "best: 3",
        "loss not finite: back to step 2; lr is now 0.005", "(undone by a rollback)", "clip_threshold", "0: no limit",
        "loss (nats per token)", "0" * 64,
    ):  # fmt: skip
        assert wanted in page.text


def test_nothing_is_loaded_and_nothing_runs(workspace: Workspace, tmp_path: Path) -> None:
    page = page_of(make_run(workspace), tmp_path)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "image"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    policies = [one["content"] for tag, one in page.tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "url(http" not in (tmp_path / "run.html").read_text(encoding="utf-8")


def test_what_files_say_is_text(workspace: Workspace, tmp_path: Path) -> None:
    evil = "</pre><script>alert(1)</script>\x1b[31m\u202e"
    run = make_run(workspace, corpus="<b>bold", records=[Notice(step=1, message="<img src=x onerror=alert(1)>")])
    lines = [json.dumps({"step": 1, "prompt": "<i>Once", "text": evil}), '{"st']  # the last one is being written
    (run.path / "samples.jsonl").write_text("\n".join(lines), encoding="utf-8")
    page = page_of(run, tmp_path)
    assert not {tag for tag, _ in page.tags} & {"script", "img", "i"}
    assert "<b>bold" in page.text and "<i>Once" in page.text and "</pre><script>" in page.text
    assert "\x1b" not in page.text and "\u202e" not in page.text


def test_ids_are_unique_and_what_refers_to_them_finds_them(workspace: Workspace, tmp_path: Path) -> None:
    page = page_of(make_run(workspace), tmp_path)
    ids = [one["id"] for _, one in page.tags if "id" in one]
    assert len(ids) == len(set(ids))
    uses = [str(one["xlink:href"])[1:] for _, one in page.tags if "xlink:href" in one]
    uses += [str(one["clip-path"])[5:-1] for _, one in page.tags if "clip-path" in one]
    assert uses and set(uses) <= set(ids)


def test_samples_are_shown_by_prompt_from_the_first_to_the_last(workspace: Workspace) -> None:
    run = make_run(workspace)
    with (run.path / "samples.jsonl").open("w", encoding="utf-8") as file:
        for step in range(100):
            for prompt in ("Once", "The"):
                file.write(json.dumps({"step": step, "prompt": prompt, "text": f" text {step}"}) + "\n")
    found = dict(facts(run, read_curves(run)).samples)
    assert list(found) == ["Once", "The"]
    steps = [sample.step for sample in found["Once"]]
    assert steps[0] == 0 and steps[-1] == 99 and steps == sorted(steps) and 3 < len(steps) <= 6


def test_without_kept_samples_the_model_writes_one_now(workspace: Workspace) -> None:
    run = make_run(workspace)
    assert facts(run, read_curves(run)).samples == []
    add_checkpoint(run)
    ((prompt, [sample]),) = facts(run, read_curves(run)).samples
    assert prompt == "" and sample.step == 3 and len(sample.text) > 100


def test_a_thousand_validations_are_thinned_with_both_ends(workspace: Workspace) -> None:
    run = make_run(workspace, records=[validation(step) for step in range(1000)])
    found = facts(run, read_curves(run))
    assert len(found.validations) == 200 and found.left_out == 800
    assert (found.validations[0].step, found.validations[-1].step) == (0, 999)


def test_the_best_of_a_thousand_validations_is_among_those_shown(workspace: Workspace) -> None:
    run = make_run(workspace, records=[validation(step, loss=1.0 if step == 502 else 1.5) for step in range(1000)])
    found = facts(run, read_curves(run))
    assert found.best_step == 502 and [one.step for one in found.validations if one.loss == 1.0] == [502]


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"steps": 0, "minutes": 2.0},
        {"steps": 0, "epochs": 1.5, "cell": "gru", "tokens": "word", "lowercase": True, "tie": True, "embedding": 8},
        {"lr": 0.0123456789, "clip": "off", "corpus": "my text.txt", "split": "80/10/10", "schedule": "cosine"},
        {"steps": 0},
    ],
)
def test_the_command_gives_the_same_settings(workspace: Workspace, knobs: dict[str, Any]) -> None:
    info = make_run(workspace, **knobs).info()
    words = shlex.split(command_for(info))
    assert words[:2] == ["rnnplay", "train"]
    command = program.get_command(program.make_context("rnnplay", ["train"]), "train")
    assert command is not None
    given = command.make_context("train", words[2:]).params
    values = {name: given[name] for name in RunConfig.__struct_fields__ if given.get(name) is not None}
    assert new_settings(None, None, values, workspace) == info.config


def test_a_corpus_is_named_without_its_folders(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace, corpus="/home/someone/secret/text.txt", records=ROLLED_BACK)
    page = page_of(run, tmp_path)
    assert "LSTM 1×8 on text" in page.text and "someone" not in (tmp_path / "run.html").read_text(encoding="utf-8")
