"""What a setting that rnnplay does not have was meant as: another program's name of the same, or a misspelling."""

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
    "steps": (
        "max-iters max-iterations max-steps iterations iters n-iters num-iters num-steps n-steps "
        "num-train-steps max-update"
    ),
    "epochs": "max-epochs num-epochs nepochs n-epochs epoch num-train-epochs max-epoch",
    "dropout": "drop dropout-rate drop-prob dropout-prob dropouti dropouth keep-prob",
    "clip-threshold": (
        "grad-clip gradient-clip clip-norm clipnorm clip-grad grad-norm max-grad-norm gradient-clipping clip-value"
    ),
    "weight-decay": "wd wdecay l2 decay",
    "optimizer": "optim optimiser opt",
    "schedule": "scheduler lr-scheduler lr-schedule lr-decay decay-lr learning-rate-decay lr-scheduler-type",
    "warmup-steps": "warmup warmup-iters warmup-updates",
    "lr-floor": "min-lr",
    "tie": "tied tied-weights tie-weights share-embeddings",
    "seed": "random-seed manual-seed rng-seed",
    "split": "val-frac train-frac valid-frac val-split validation-split test-frac",
    "max-vocabulary": "vocab-size vocabulary-size max-vocab nwords",
    "min-count": "min-freq min-frequency cutoff",
    "tokens": "level word-level char-level tokenizer tokenization",
    "lowercase": "lower",
    "eval-every": "eval-interval eval-val-every val-every eval-steps validation-interval",
    "checkpoint-every": "save-every checkpoint-interval save-interval save-steps",
    "early-stop": "patience early-stopping",
    "precision": "dtype fp16 bf16 amp half",
    "device cuda": "cuda gpu gpuid gpu-id use-cuda gpus",
    "device cpu": "no-cuda cpu",
    "threads": "num-threads nthreads num-workers",
    "workspace": "out-dir output-dir checkpoint-dir save-dir work-dir logdir log-dir save cv-dir",
    "run": "name run-name exp-name checkpoint-name savefile experiment",
    "resume": "init-from resume-from continue continue-from restore load",
    "length": "max-new-tokens num-samples n-samples sample-len sample-length words num-chars gen-length max-tokens",
    "prompt": "start start-text start-string primetext prime prime-text seed-text context input text",
    "text": "prompt input",
    "temperature": "temp sample-temp",
    "top-k": "topk k",
    "top-p": "topp p nucleus",
    "greedy": "argmax no-sample",
    "checkpoint": "ckpt load epoch",
    "bars": "top-k topk n",
}
"""By our name, those in char-rnn, torch-rnn, word_language_model, nanoGPT, makemore, AWD-LSTM, fairseq, Hugging Face's
Trainer and Keras. One may stand for several: num_steps are timesteps in one, and steps in another."""


def meant_as(name: str, known: Collection[str]) -> list[str]:
    """Which of the `known` settings, written with dashes, may be meant by `name`; some with their value."""
    name = name.lstrip("-").partition("=")[0].lower().replace("_", "-")
    if name in known:
        return [name]
    found = [ours for ours, names in _NAMES.items() if ours.split()[0] in known and name in names.split()]
    return found or difflib.get_close_matches(name, known, n=1)
