"""What other programs call a setting is answered with our name of it, on the command line and in a settings file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rnnplay.cli.commands.training.train import command as train
from rnnplay.cli.main import program
from rnnplay.common.other_tools import _NAMES, _WITHOUT
from rnnplay.config import knobs
from rnnplay.errors import InputError
from rnnplay.settings import read_settings


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("train --learning-rate 0.01", "--learning-rate; did you mean --lr?"),
        ("train --rnn-size 128", "--rnn-size; did you mean --hidden?"),
        ("train --ema 0.99", "--ema; did you mean --ema-decay?"),
        ("train --rnn_size=128", "--rnn_size; did you mean --hidden?"),
        ("train -rnn_size 128", "-rnn_size; did you mean --hidden?"),
        ("train --seq-length 50", "--seq-length; did you mean --bptt?"),
        ("train --block-size 50", "--block-size; did you mean --bptt?"),
        ("train --num_steps 50", "--num_steps; did you mean --bptt or --steps?"),
        ("train --data x.txt", "--data; did you mean --corpus?"),
        ("train --emsize 64", "--emsize; did you mean --embedding?"),
        ("train --num-layers 2", "--num-layers; did you mean --layers?"),
        ("train --batch_size 2", "--batch_size; did you mean --batch-size?"),
        ("train --cuda", "--cuda; did you mean --device cuda?"),
        ("train --hiden 3", "--hiden; did you mean --hidden?"),
        ("train --zzz", "--zzz. ("),
        ("train --clip 0.25", "clip must be norm, value or off; got '0.25'; the number is that of clip_threshold."),
        ("generate run --primetext x", "--primetext; did you mean --prompt?"),
        ("generate run --max_new_tokens 9", "--max_new_tokens; did you mean --length?"),
        ("generate run --start x", "--start; did you mean --prompt or --prompt-file?"),
        ("generate run -sample 0", "-sample; did you mean --greedy?"),
        ("generate run --num_samples=3", "--num_samples: one text is written at a time, and another --seed writes an"),
        ("generate run --num-samples 3", "(see also --length). (rnnplay generate --help)"),
        ("generate run --outf x", "--outf: the text goes to standard output, and `> FILE` keeps it. ("),
        ("train --log-interval 200", "--log-interval: progress is always shown, and metrics.jsonl and --json have ev"),
        ("train -print_every 10", "(see also --eval-every). (rnnplay train --help)"),
        ("train --dry-run", "--dry-run; did you mean --steps 1?"),
    ],
)
def test_an_option_of_another_program(arguments: str, meant: str) -> None:
    done = CliRunner().invoke(program, arguments.split())
    assert done.exit_code == 2
    assert meant in done.stderr


def test_a_knob_of_another_program(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    for line, meant in (
        ("learning_rate = 0.1", "did you mean lr?"),
        ("block_size = 64", "did you mean bptt?"),
        ("cuda = true", "did you mean device?"),
        ("log_interval = 10", "progress is always shown, and metrics.jsonl and --json have every step."),
        ("clip = 0.25", "the number is that of clip_threshold."),
    ):
        file.write_text(line, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_settings(file)
        assert str(caught.value).endswith(meant)


def test_every_name_of_ours_is_one_and_none_of_theirs_is() -> None:
    """A knob that is renamed must be renamed there; a name that we have is no other program's."""
    context = train.make_context("train", [])
    ours = {name[2:] for param in train.params for name in param.opts}
    others = {
        "length",
        "prompt",
        "prompt-file",
        "text",
        "temperature",
        "top-k",
        "top-p",
        "greedy",
        "checkpoint",
        "bars",
    }
    assert context is not None
    assert {name.split()[0] for name in _NAMES} <= ours | others
    taken = {spec.option[2:] for spec in knobs().values()}
    assert not {name for names in _NAMES.values() for name in names.split()} & taken
    for where, names, _, near in _WITHOUT:
        assert {where, near} <= ours | others | {""}
        assert not set(names.split()) & taken
