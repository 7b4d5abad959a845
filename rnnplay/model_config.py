"""Declares the knobs of the text and of the model, with which those of a run begin (config.py)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rnnplay.knobs import Knob

TokenKind = Literal["char", "byte", "bpe", "word"]
NormalForm = Literal["none", "nfc", "nfkc"]
WordBoundary = Literal["punctuation", "whitespace"]


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a model reads, and its architecture."""

    corpus: Annotated[
        str, Knob("a bundled corpus, a .txt in corpora/, or a path; several with commas between them", "corpus")
    ] = "tales"
    tokens: Annotated[
        TokenKind,
        Knob(
            "what one token is: a character, a byte (of any file), a byte pair (BPE, learned from the text), a word",
            "corpus",
            kept=True,
        ),
    ] = "char"
    bpe_size: Annotated[
        int,
        Knob(
            "tokens of byte-pair encoding",
            "corpus",
            low=258,
            high=1_000_000,
            kept=True,
            label="bpe size",
            when=("tokens", ("bpe",)),
        ),
    ] = 2000
    word_boundary: Annotated[
        WordBoundary,
        Knob(
            "where a word ends: at white space and beside punctuation marks, which are tokens of their own, or at "
            "white space only, as published corpora that are divided into tokens already are read",
            "corpus",
            kept=True,
            label="boundary",
            when=("tokens", ("word",)),
        ),
    ] = "punctuation"
    lowercase: Annotated[bool, Knob("read the text in lower case", "corpus", kept=True)] = False
    normal_form: Annotated[
        NormalForm,
        Knob(
            "the Unicode normal form to which the text is brought first: NFC composes accents, NFKC also replaces "
            "ligatures, full-width letters and the like",
            "corpus",
            kept=True,
        ),
    ] = "none"
    min_count: Annotated[
        int,
        Knob(
            "tokens seen less often than this become <unk>",
            "corpus",
            low=1,
            high=1_000_000,
            when=("tokens", ("char", "word")),
        ),
    ] = 1
    max_vocabulary: Annotated[
        int,
        Knob(
            "keep only the most frequent tokens",
            "corpus",
            low=0,
            high=10_000_000,
            label="vocabulary",
            zero="no limit",
            when=("tokens", ("char", "word")),
        ),
    ] = 0
    feed: Annotated[
        Literal["auto", "stream", "lines"],
        Knob("one stream with carried state, or each line a sequence; auto: as the card says", "corpus"),
    ] = "auto"
    split: Annotated[
        str,
        Knob(
            "train/validation/test in percent of the text, in its order; a folder with files of its own for them is "
            "split by these instead",
            "corpus",
        ),
    ] = "90/5/5"

    cell: Annotated[Literal["rnn", "lstm", "gru"], Knob("the recurrent cell", "model", kept=True)] = "lstm"
    nonlinearity: Annotated[
        Literal["tanh", "relu"], Knob("nonlinearity of the plain RNN", "model", when=("cell", ("rnn",)))
    ] = "tanh"
    embedding: Annotated[int, Knob("size of a token's vector", "model", low=1, high=16_384, kept=True)] = 64
    hidden: Annotated[int, Knob("units of the hidden state per layer", "model", low=1, high=16_384, kept=True)] = 256
    layers: Annotated[int, Knob("stacked recurrent layers", "model", low=1, high=16, kept=True)] = 1
    dropout: Annotated[
        float,
        Knob("fraction dropped on the embedding, between layers and on the output", "regularisation", low=0, high=0.95),
    ] = 0.0
    input_dropout: Annotated[
        float,
        Knob(
            "fraction dropped on the embedding",
            "regularisation",
            low=0,
            high=0.95,
            label="input drop",
            minus="as dropout",
        ),
    ] = -1.0
    layer_dropout: Annotated[
        float,
        Knob(
            "fraction dropped between layers",
            "regularisation",
            low=0,
            high=0.95,
            label="layer drop",
            minus="as dropout",
            when=("layers", range(2, 17)),
        ),
    ] = -1.0
    dropout_kind: Annotated[
        Literal["token", "locked"],
        Knob(
            "whether dropout draws anew at each token, or drops the same units at all timesteps of a step",
            "regularisation",
        ),
    ] = "token"
    embedding_dropout: Annotated[
        float,
        Knob(
            "fraction of the vocabulary whose embeddings are dropped whole for a step",
            "regularisation",
            low=0,
            high=0.95,
            label="word dropout",
        ),
    ] = 0.0
    weight_drop: Annotated[
        float,
        Knob(
            "fraction of the recurrent weights that is dropped for a step (DropConnect)",
            "regularisation",
            low=0,
            high=0.95,
        ),
    ] = 0.0
    ar_alpha: Annotated[
        float,
        Knob(
            "activation regularisation: the mean square of the output's hidden state, times this, is added to the loss "
            "that is minimised",
            "regularisation",
            low=0,
            high=1000,
        ),
    ] = 0.0
    tar_beta: Annotated[
        float,
        Knob(
            "temporal activation regularisation: the same for the hidden state's change from timestep to timestep",
            "regularisation",
            low=0,
            high=1000,
        ),
    ] = 0.0
    tie: Annotated[bool, Knob("output weights are the embedding's (embedding = hidden)", "model", kept=True)] = False
    softmax: Annotated[
        Literal["full", "sampled", "adaptive"],
        Knob(
            "the output layer. For some 10,000 words or more, sampled: training computes the logits of some words "
            "only, evaluation of all; or adaptive: rarer words in clusters that are computed only when needed",
            "model",
            when=("tokens", ("word",)),
            kept=True,
            alike=("full", "sampled"),
        ),
    ] = "full"
    forget_bias: Annotated[
        float,
        Knob("initial bias of the forget gate", "model", low=-20, high=20, when=("cell", ("lstm",))),
    ] = 1.0
    recurrent_gain: Annotated[
        float, Knob("scale of the orthogonal recurrent weights", "model", above=0, high=10, label="gain")
    ] = 1.0

    @property
    def dropouts(self) -> tuple[float, float, float]:
        """The fractions dropped on the embedding, between layers, and on the output."""
        on_embedding, between = (self.dropout if p < 0 else p for p in (self.input_dropout, self.layer_dropout))
        return on_embedding, between, self.dropout
