"""Suggests which setting was meant by an unknown name: another program's name for it, or a misspelling."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_NAMES = {
    "lr": "learning-rate lr-rate base-lr initial-lr max-lr eta step-size",
    "hidden": (
        "rnn-size hidden-size hidden-dim hidden-units nhid n-hid nh num-units units n-units state-size "
        "rnn-units lstm-size d-model n-hidden num-hidden"
    ),
    "embedding": (
        "emsize em-size emb-size embed-size embed-dim emb-dim embedding-dim embedding-size wordvec-size "
        "n-embd n-embed input-size"
    ),
    "layers": "num-layers nlayers n-layers n-layer nl num-hidden-layers",
    "bptt": (
        "seq-length seq-len seq-size sequence-length block-size context-length context-size max-length "
        "max-seq-len max-seq-length unroll unroll-steps timesteps num-timesteps time-steps tokens-per-sample "
        "window num-steps"
    ),
    "batch-size": "batch bs minibatch minibatch-size bsz batchsize train-batch-size",
    "corpus": (
        "data data-dir data-path data-file datafile dataset input input-file input-txt input-h5 input-json "
        "train-file train-data train-text training-file text-file file"
    ),
    "cell": "model model-type rnn-type rnn cell-type type arch unit-type",
    "steps 1": "dry-run",
    "steps": (
        "max-iters max-iterations max-steps iterations iters n-iters num-iters num-steps n-steps "
        "num-train-steps max-update"
    ),
    "epochs": "max-epochs num-epochs nepochs n-epochs epoch num-train-epochs max-epoch",
    "dropout": "drop dropout-rate drop-prob dropout-prob keep-prob",
    "input-dropout": "dropouti",
    "layer-dropout": "dropouth",
    "dropout-kind locked": "variational-dropout variational locked-dropout lockdrop",
    "embedding-dropout": "dropoute embed-dropout emb-dropout word-dropout",
    "ar-alpha": "alpha ar activation-regularization",
    "tar-beta": "beta tar temporal-activation-regularization",
    "asgd-window": "nonmono asgd nt-asgd",
    "weight-drop": "wdrop weight-dropout dropconnect drop-connect recurrent-dropout",
    "muon-ratio": "muon-lr matrix-lr lr-matrix muon-learning-rate",
    "clip-threshold": (
        "grad-clip gradient-clip clip-norm clipnorm clip-grad grad-norm max-grad-norm gradient-clipping clip-value"
    ),
    "weight-decay": "wd wdecay l2 decay",
    "optimizer": "optim optimiser opt",
    "ema-decay": "ema ema-rate ema-momentum use-ema model-ema model-ema-decay weight-averaging",
    "schedule": (
        "scheduler lr-scheduler lr-schedule lr-decay decay-lr learning-rate-decay lr-decay-every lr-decay-factor "
        "lr-scheduler-type"
    ),
    "warmup-steps": "warmup warmup-iters warmup-updates",
    "lr-floor": "min-lr",
    "tie": "tied tied-weights tie-weights share-embeddings",
    "seed": "random-seed manual-seed rng-seed",
    "split": "val-frac train-frac valid-frac val-split validation-split test-frac",
    "max-vocabulary": "vocab-size vocabulary-size max-vocab nwords",
    "min-count": "min-freq min-frequency cutoff",
    "tokens": "level word-level char-level tokenizer tokenization",
    "lowercase": "lower",
    "eval-tokens": "eval-iters eval-batches eval-batch-size",
    "eval-every": "eval-interval eval-val-every val-every eval-steps validation-interval",
    "checkpoint-every": "save-every checkpoint-interval save-interval save-steps",
    "early-stop": "patience early-stopping",
    "precision": "dtype fp16 bf16 amp half",
    "device cuda": "cuda gpu gpuid gpu-id use-cuda gpus",
    "device cpu": "no-cuda cpu",
    "threads": "num-threads nthreads num-workers",
    "workspace": "out-dir output-dir checkpoint-dir save-dir work-dir logdir log-dir save cv-dir",
    "run": "name run-name exp-name checkpoint-name savefile experiment",
    "from": "init-from finetune finetune-from fine-tune pretrained pretrained-model warm-start fork branch",
    "resume": "init-from resume-from continue continue-from restore load",
    "length": "max-new-tokens max-tokens sample-len sample-length words num-chars gen-length num-tokens num-predict",
    "prompt": "start start-text start-with start-string primetext prime prime-text seed-text context input text",
    "text": "prompt input",
    "prompt-file": "start prompt-path",
    "temperature": "temp sample-temp",
    "top-k": "topk k",
    "top-p": "topp p nucleus",
    "greedy": "argmax no-sample sample",
    "checkpoint": "ckpt load epoch",
    "bars": "top-k topk n",
}
"""By our name, those in char-rnn, torch-rnn, word_language_model, nanoGPT, makemore, AWD-LSTM, fairseq, Hugging Face's
Trainer and Keras. One name may mean several settings: num_steps are timesteps in one program and steps in another."""

_WITHOUT = (
    (
        "eval-every",
        "log-interval log-every log-freq log-steps logging-steps logging-interval print-every print-interval "
        "report-every display-freq disp-freq verbose",
        "progress is always shown, and metrics.jsonl and --json have every step",
        "eval-every",
    ),
    (
        "length",
        "num-samples n-samples nsamples num-return-sequences n",
        "one text is written at a time, and another --seed writes another",
        "length",
    ),
    (
        "length",
        "out outf out-file output output-file outfile save",
        "the text goes to standard output, and `> FILE` keeps it",
        "",
    ),
)
"""Options that rnnplay lacks: the knob of the commands concerned, other programs' names, what to do, what is near."""


def instead(name: str, known: Collection[str]) -> tuple[str, str]:
    """Returns what to do instead of an option that rnnplay lacks, and the nearest of the `known` ones; or "", ""."""
    name = _plain(name)
    return next(
        ((advice, near) for ours, names, advice, near in _WITHOUT if ours in known and name in names.split()), ("", "")
    )


def meant_as(name: str, known: Collection[str]) -> list[str]:
    """Returns the `known` settings, written with dashes, that `name` may mean; some with a value."""
    name = _plain(name)
    if name in known:
        return [name]
    found = [ours for ours, names in _NAMES.items() if ours.split()[0] in known and name in names.split()]
    return found or difflib.get_close_matches(name, known, n=1)


def _plain(name: str) -> str:
    return name.lstrip("-").partition("=")[0].lower().replace("_", "-")
