"""Reads and writes run.json, the description of a run. Does not load torch."""

from __future__ import annotations

import math
from codecs import BOM_UTF8
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rnnplay import __version__
from rnnplay.common.files import read_bounded
from rnnplay.config import RunConfig, with_new_names
from rnnplay.errors import ConfigError, InputError
from rnnplay.knobs import of_format_1
from rnnplay.runs.checkpoint_state import check_format

if TYPE_CHECKING:
    from rnnplay.text.encoding.encoded import EncodedCorpus

FORMAT = 2
"""Since 2 an `input_dropout` or `layer_dropout` of 0 is none; before, it was "as dropout"."""
INFO_LIMIT = 1 << 20
MOST_TOKENS = 10_000_100
"""Ids of a vocabulary: those that max_vocabulary allows, and the reserved ones."""


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """The run, and its checkpoint, whose weights a branched run began with."""

    run: str
    """Its name when the branch was made; a run of that name may be another one by now: compare `created`."""
    step: int
    created: str
    """`RunInfo.created` of the parent."""
    optimizer: bool = False
    """Whether the branch began with the optimizer's state, too."""
    added_tokens: int = 0
    """Number of tokens by which the branch's vocabulary is larger than the parent's."""
    shrink: float = 1.0
    """What the weights were multiplied by."""

    @property
    def name(self) -> str:
        """The parent as `--from` takes it, "first@1200"."""
        return f"{self.run}@{self.step}"


class RunInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The contents of run.json."""

    format: int = FORMAT
    run: str
    config: RunConfig
    """The current config: live knobs and length as last changed; `feed` is what auto resolved to."""
    corpus_sha256: str
    rnnplay: str
    torch: str
    created: str
    """ISO 8601, UTC."""
    parameters: int
    vocabulary: int
    job: str = ""
    """torchrun's --rdzv-id when the run began, by which it is known again after a restart; "" without one."""
    unknown_fraction: float | None = None
    """Fraction of the validation text's tokens that are `<unk>`; None if not counted."""
    parent: Parent | None = None
    """What the run was branched from; None if its weights were drawn at random."""


def encode_info(info: RunInfo) -> bytes:
    """Encodes run.json."""
    return msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n"


def read_info(path: Path) -> RunInfo:
    """Reads the run.json at `path`; raises InputError in one sentence if it cannot be used."""
    data = read_bounded(path, INFO_LIMIT).removeprefix(BOM_UTF8)
    try:
        check_format(data, FORMAT, path)
        found = msgspec.json.decode(data)
        if isinstance(config := found.get("config"), dict):
            config = with_new_names(config)
            found["config"] = of_format_1(config) if found["format"] == 1 else config
        found["format"] = FORMAT
        info = msgspec.convert(found, RunInfo)
    except ConfigError as error:
        raise InputError(f"{path} cannot be used: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is broken ({str(error)[:200]}); restore it or choose another run.") from error
    if what := unsound(info):
        raise InputError(f"{path} is broken (it contains an invalid {what}); restore it or choose another run.")
    return info


def unsound(info: RunInfo) -> str:
    """What in `info`, its config apart, is invalid, "text" or "number"; "" if nothing."""
    texts = [info.run, info.corpus_sha256, info.rnnplay, info.torch, info.created, info.job]
    numbers = [info.parameters]
    if info.parent is not None:
        texts += info.parent.run, info.parent.created
        numbers += info.parent.step, info.parent.added_tokens
    if not all(text.isprintable() and len(text) <= 200 for text in texts):
        return "text"
    known = info.unknown_fraction is None or 0 <= info.unknown_fraction <= 1
    return "" if min(numbers) >= 0 and 1 <= info.vocabulary <= MOST_TOKENS and known else "number"


def moment(created: str) -> float:
    """`RunInfo.created` as seconds since 1970, by which runs are ordered; -inf if it is invalid."""
    try:
        return datetime.fromisoformat(created).timestamp()
    except (ValueError, OverflowError):
        return -math.inf


def describe_run(
    config: RunConfig,
    corpus: EncodedCorpus,
    run: str,
    parameters: int,
    torch_version: str,
    parent: Parent | None = None,
    job: str = "",
) -> RunInfo:
    """Makes the run.json of a run that begins now."""
    return RunInfo(
        run=run,
        config=config,
        corpus_sha256=corpus.sha256,
        rnnplay=__version__,
        torch=torch_version,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        parameters=parameters,
        vocabulary=corpus.tokenizer.size,
        unknown_fraction=corpus.validation.unknown_fraction,
        parent=parent,
        job=job,
    )
