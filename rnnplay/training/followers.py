"""What the processes that do not lead a run do: they join in its steps, as the leading process orders."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec
import torch

from rnnplay import __version__
from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, InputError, RnnplayError
from rnnplay.model.hardware import choose_device, choose_precision, keep_memory, prepare_thread, use_threads
from rnnplay.runs.launch import check_divisible
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_again
from rnnplay.text.tokenizers.build import load_tokenizer
from rnnplay.training.checkpointing.resuming import resolved
from rnnplay.training.learner import Learner
from rnnplay.training.loop import train_step
from rnnplay.training.processes.group import Group, What
from rnnplay.workspace import Workspace


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What a process needs to know to join in training a run."""

    versions: tuple[str, str]
    """rnnplay's and torch's."""
    config: RunConfig
    device: str
    sha256: str
    """The text's."""
    vocabulary: bytes


def invite(group: Group, config: RunConfig, corpus: EncodedCorpus) -> None:
    """Sends the other processes what they need to join; to be called by the one that leads, before anything is made.

    Raises ConfigError for a batch that cannot be divided, InputError if a process cannot join, with its reason.
    """
    if group.alone:
        return
    check_divisible(config, group.size)
    device = choose_device(config.device)
    group.take_gpu(device)
    # Asked for by name, so that all compute in the same precision.
    precision = "bfloat16" if choose_precision(config.precision, device) == torch.bfloat16 else "float32"
    invitation = Invitation(
        versions=_versions(),
        config=msgspec.structs.replace(resolved(config, corpus), ema_decay=0.0, asgd_window=0, precision=precision),
        device=device.type,
        sha256=corpus.sha256,
        vocabulary=corpus.tokenizer.to_bytes(),
    )
    group.tell(msgspec.json.encode(invitation))
    problems = [message.decode() for message in group.hear(b"")]
    if problem := next(filter(None, problems), ""):
        raise InputError(problem)


def follow(
    group: Group,
    workspace: Workspace,
    localise: Callable[[RunConfig], RunConfig] = lambda config: config,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Joins in training a run until the process that leads it ends. Raises LostProcessError if it is lost.

    `localise` returns the config with the place of the text on this host. A process that cannot join tells the one that
    leads why, which would otherwise wait for it, and returns.
    """
    if not (told := group.tell()):
        return  # there is nothing to train
    invitation = msgspec.json.decode(told, type=Invitation)
    learner, problem = None, ""
    try:
        learner = _joined(invitation, group, workspace, localise, asked_to_stop)
    except (RnnplayError, OSError) as error:
        problem = f"Process {group.rank} of {group.size}, on {socket.gethostname()}, cannot join: {error}"
    problems = group.hear(problem.encode())
    if learner is None or any(problems):
        return
    while (order := group.next_order()).what != What.END:
        if order.what == What.STEP:
            train_step(learner, order.lr, order.clip_mode, order.clip_threshold, order.guarded)
        elif order.what == What.SHARE:
            learner.share()
        else:
            learner.tensors()


def _joined(
    invitation: Invitation,
    group: Group,
    workspace: Workspace,
    localise: Callable[[RunConfig], RunConfig],
    asked_to_stop: Callable[[], bool],
) -> Learner:
    if invitation.versions != _versions():
        ours, theirs = (
            f"rnnplay {rnnplay} and torch {of_torch}" for rnnplay, of_torch in (_versions(), invitation.versions)
        )
        raise InputError(f"it has {ours}, but the first process {theirs}; install the same versions on all hosts.")
    config = invitation.config
    if (found := choose_device(config.device).type) != invitation.device:
        raise ConfigError(
            "device",
            f"the first process trains on {invitation.device}, but here is only {found}; use --device {found}.",
        )
    group.take_gpu(choose_device(config.device))
    config = localise(config)
    prepare_thread()
    keep_memory()
    use_threads(group.fixed_threads(config))
    encoded = encode_again(config, invitation.sha256, load_tokenizer(invitation.vocabulary), workspace)
    return Learner(config, encoded, group=group, asked_to_stop=asked_to_stop)


def _versions() -> tuple[str, str]:
    return __version__, str(torch.__version__).partition("+")[0]
