"""A branched run begins with what its parent had learned, and no id ever stands for another token than there."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import CheckpointError, ConfigError, InputError, LackingTokensError
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.branching import ParentCheckpoint, branch_settings, encode_for_branch, find_parent
from rnnplay.runs.folder import find_run
from rnnplay.runs.lock import Hold
from rnnplay.runs.metrics.records import Notice, Validation
from rnnplay.training.checkpointing.branching import read_branch, with_new_moments, with_new_rows
from rnnplay.training.trainer import Trainer
from tests.training.world import World, run_to_end

WORDS = {"tokens": "word", "hidden": 16}


def parent_of(world: World, name: str = "run") -> ParentCheckpoint:
    return find_parent(name, lambda run: find_run(run, world.workspace))


def branched(
    world: World,
    origin: str = "run",
    name: str = "branch",
    optimizer: bool = False,
    extend: bool = False,
    **values: Any,
) -> Trainer:
    """A trainer of a run that is branched from `origin` with `values` changed."""
    parent = parent_of(world, origin)
    config = with_values(branch_settings(parent, world.workspace), values)
    corpus = encode_for_branch(parent, config, world.workspace, extend)
    branch = read_branch(parent, config, corpus, optimizer)
    trainer = Trainer(config, corpus, world.folder(name), world.emitted.append, branch=branch)
    world._alive.append(trainer)
    return trainer


def text(world: World, name: str, more: str) -> str:
    """A corpus of the same sentences in another order, with `more` in some of them."""
    lines = world.text.read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(lines)
    path = world.workspace.corpora / f"{name}.txt"
    path.write_text("\n".join(f"{line}{more if number % 9 == 0 else ''}" for number, line in enumerate(lines)) + "\n")
    return str(path)


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.model.weights().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("values", [{}, {"cell": "gru", "layers": 2, "tie": True, "embedding": 10}, WORDS])
def test_it_begins_with_the_weights_of_the_parents_checkpoint(values: dict[str, Any], world: World) -> None:
    parent = world.trainer(world.config(eval_every=10, **values))
    run_to_end(parent)
    loss = [one for one in world.folder().metrics() if isinstance(one, Validation)][-1].loss
    branch = branched(world, clip="off", lr=0.01, steps=5)
    assert branch.step == 0 and equal(weights(branch), weights(parent))
    begins = [one for one in world.folder("branch").metrics() if isinstance(one, Validation)]
    assert [one.step for one in begins] == [0] and begins[0].loss == pytest.approx(loss, rel=1e-6)
    assert world.folder("branch").checkpoint("best").step == 0
    info, above = world.folder("branch").info(), world.folder().info()
    assert info.parent is not None and info.config.clip == "off" and info.config.hidden == above.config.hidden
    assert (info.parent.name, info.parent.created, info.parent.added_tokens) == ("run@20", above.created, 0)


def test_a_step_and_the_best_one_can_be_named(world: World) -> None:
    run_to_end(world.trainer(world.config(checkpoint_every=5, eval_every=5, keep=9)))
    assert parent_of(world, "run@10").checkpoint.step == 10
    assert parent_of(world, "run@best").checkpoint == world.folder().checkpoint("best")
    assert parent_of(world, "run@latest").checkpoint.step == parent_of(world).checkpoint.step == 20
    for bad in ("@5", "run@", "run@7", "run@5@5", "other@5", ""):
        with pytest.raises(InputError):
            parent_of(world, bad)


def test_shrunk_weights_are_all_so_many_times_the_parents(world: World) -> None:
    parent = world.trainer(world.config(steps=3))
    run_to_end(parent)
    origin = parent_of(world)
    config = branch_settings(origin, world.workspace)
    corpus = encode_for_branch(origin, config, world.workspace)
    branch = read_branch(origin, config, corpus, shrink=0.5)
    assert branch.parent is not None and branch.parent.shrink == 0.5
    assert equal(branch.weights, {name: 0.5 * tensor for name, tensor in weights(parent).items()})
    with pytest.raises(InputError, match="optimizer's state belongs to the weights as they are"):
        read_branch(origin, config, corpus, True, 0.5)


def test_a_checkpoint_to_branch_from_outlives_those_that_its_run_deletes(world: World) -> None:
    trainer = world.trainer(world.config(checkpoint_every=1, keep=1))
    trainer.advance()
    parent = parent_of(world, "run@1")
    for _ in range(3):
        trainer.advance()
    kept = [one.step for one in world.folder().checkpoints()]
    assert 1 in kept and 2 not in kept
    config = branch_settings(parent, world.workspace)
    branch = read_branch(parent, config, encode_for_branch(parent, config, world.workspace))
    assert branch.parent is not None and branch.parent.step == 1
    trainer.advance()  # what was read is held no longer
    assert 1 not in [one.step for one in world.folder().checkpoints()]


def test_a_checkpoint_deleted_just_before_it_is_held_is_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end(world.trainer(world.config(checkpoint_every=5, keep=9)))
    take = Hold.take
    taken: list[Path] = []

    def delete_first(path: Path) -> Hold:
        if not taken:
            shutil.rmtree(path.parent)
        taken.append(path)
        return take(path)

    monkeypatch.setattr(Hold, "take", staticmethod(delete_first))
    parent = parent_of(world)
    assert parent.checkpoint.step == 15 and parent.hold.in_place


def test_with_the_optimizers_state_the_next_step_is_the_parents_next_step(world: World) -> None:
    """The same batch, which the first one is of both, moves the weights as it moves the parent's."""
    config = world.config(lr=0.01, steps=1)
    run_to_end(world.trainer(config))
    branch = branched(world, optimizer=True)
    moments = {name: one for name, one in branch._learner.tensors().items() if name.startswith("optimizer.")}
    naive = LanguageModel(config, branch.tokenizer.size)
    naive.load_weights(weights(branch))
    rule = torch.optim.Adam(naive.parameters(), lr=0.01)
    for name, parameter in naive.named_parameters():
        rule.state[parameter] = {
            key: moments[f"optimizer.{key}.{name}"].clone() for key in ("step", "exp_avg", "exp_avg_sq")
        }
    batch, _ = branch.next_batch()
    loss, _ = naive.loss(torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets).long().flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(naive.parameters(), config.clip_threshold)
    rule.step()
    branch.advance()
    for name, tensor in naive.weights().items():
        assert torch.allclose(tensor, branch.model.weights()[name], atol=1e-6), name
    assert world.folder("branch").info().parent.optimizer  # type: ignore[union-attr]


def test_it_begins_with_the_ema_or_with_the_raw_weights_that_the_optimizers_state_belongs_to(world: World) -> None:
    parent = world.trainer(world.config(ema_decay=0.9, lr=0.02))
    run_to_end(parent)
    ema, raw = weights(parent), {name: one.clone() for name, one in parent.raw_model.weights().items()}
    assert not equal(ema, raw)
    fresh, onward = branched(world), branched(world, name="onward", optimizer=True)
    assert equal(weights(fresh), ema) and equal(dict(fresh.raw_model.weights()), ema)
    assert equal(weights(onward), raw) and equal(dict(onward.raw_model.weights()), raw)
    assert equal(weights(branched(world, name="without", ema_decay=0.0)), ema)


@pytest.mark.parametrize(
    ("knob", "value"),
    [("hidden", 12), ("cell", "gru"), ("layers", 2), ("embedding", 7), ("tokens", "word"), ("lowercase", True)],
)
def test_a_knob_that_the_weights_depend_on_is_refused_with_both_values(knob: str, value: Any, world: World) -> None:
    run_to_end(world.trainer(world.config(steps=1)))
    own = getattr(world.config(), knob)
    ours = "off" if own is False else own
    with pytest.raises(ConfigError, match=f"{knob} is .*run@1 have {ours}") as error:
        branched(world, **{knob: value})
    assert error.value.knob == knob


def test_a_branch_may_change_to_a_softmax_of_the_same_weights(world: World) -> None:
    """Sampled or full differ in training alone; adaptive has other weights."""
    parent = world.trainer(world.config(**WORDS, softmax="sampled", steps=3))
    run_to_end(parent)
    branch = branched(world, softmax="full")
    assert branch.config.softmax == "full" and equal(weights(branch), weights(parent))
    with pytest.raises(ConfigError, match="softmax is adaptive, but the weights of run@3 have sampled"):
        branched(world, name="other", softmax="adaptive")


def test_the_state_of_another_optimizer_is_refused(world: World) -> None:
    run_to_end(world.trainer(world.config(optimizer="sgd", momentum=0.9, steps=1)))
    with pytest.raises(ConfigError, match="optimizer is adam"):
        branched_with(world, optimizer="adam")
    with pytest.raises(ConfigError, match="momentum is 0"):
        branched_with(world, momentum=0.0)
    assert branched(world, name="other", momentum=0.0).step == 0  # without that state both may change


def branched_with(world: World, **values: Any) -> Trainer:
    parent = parent_of(world)
    config = with_values(branch_settings(parent, world.workspace), values)
    read_branch(parent, config, encode_for_branch(parent, config, world.workspace), True)
    raise AssertionError("not refused")


# --- vocabularies


def test_a_text_with_other_characters_is_refused_and_says_which(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=1)))
    corpus = text(world, "other", " ?é?")
    with pytest.raises(LackingTokensError) as error:
        branched(world, corpus=corpus)
    assert "2 characters" in str(error.value) and "'?', 'é'" in str(error.value) and "(102 of " in str(error.value)
    assert error.value.extendable and error.value.min_count == 69
    branch = branched(world, corpus=corpus, min_count=69)  # as it says
    assert branch.tokenizer.size == world.folder().info().vocabulary and branch.corpus.train.unknown > 0


def test_equal_sizes_are_not_equal_vocabularies(world: World) -> None:
    """The trap of torch-rnn 147: another text with as many kinds of characters, whose ids mean something else."""
    run_to_end(world.trainer(world.config(steps=1)))
    ours = world.folder().tokenizer()
    swapped = world.workspace.corpora / "swapped.txt"
    swapped.write_text(world.text.read_text(encoding="utf-8").replace("A", "Z"), encoding="utf-8")
    config = world.config(corpus=str(swapped))
    alone = world.encode(config)
    assert alone.tokenizer.size == ours.size and alone.tokenizer.tokens != ours.tokens
    parent = parent_of(world)
    with pytest.raises(LackingTokensError, match="'Z'"):
        encode_for_branch(parent, config, world.workspace)
    with pytest.raises(InputError, match="another vocabulary"):  # also where somebody encodes it by themselves
        read_branch(parent, config, alone)
    encoded = encode_for_branch(parent, config, world.workspace, extend=True)
    assert encoded.tokenizer.tokens == [*ours.tokens, "Z"]
    assert encoded.tokenizer.decode(encoded.train.ids[:200].tolist()) == swapped.read_text(encoding="utf-8")[:200]
    assert world.encode(config).tokenizer.tokens == alone.tokenizer.tokens  # the cache keeps the two apart


@pytest.mark.parametrize("values", [{}, {"tie": True, "embedding": 10}, WORDS, {**WORDS, "lowercase": True}])
def test_with_more_rows_the_logits_of_the_other_tokens_are_unchanged(values: dict[str, Any], world: World) -> None:
    parent = world.trainer(world.config(**values))
    run_to_end(parent)
    branch = branched(world, corpus=text(world, "other", " Dora? Dora!"), extend=True)
    ours, size = parent.tokenizer, parent.tokenizer.size
    added = branch.tokenizer.size - size
    new = branch.tokenizer.tokens[size:]
    assert branch.tokenizer.tokens[:size] == ours.tokens and added == len(set(new)) > 1
    assert ("?" in new) and (("Dora" in new or "dora" in new) if "tokens" in values else "D" in new)
    ids = torch.from_numpy(ours.encode("Ann sees Bob.\nBob likes")[None])
    with torch.no_grad():
        before, state = parent.model.eval()(ids)
        after, same = branch.model.eval()(ids)
    assert torch.equal(after[..., :size], before)
    assert all(torch.equal(a, b) for a, b in zip(state, same, strict=True))
    grown = after.logsumexp(-1) - before.logsumexp(-1)
    assert (grown >= 0).all() and (grown <= torch.log(torch.tensor(1 + added / size)) + 1e-5).all()
    assert torch.allclose(after[..., size:], before.mean(-1, keepdim=True), atol=1e-5)
    notices = [one.message for one in world.emitted if isinstance(one, Notice)]
    assert any(f"{added} tokens were added" in one for one in notices)
    assert world.folder("branch").info().parent.added_tokens == added  # type: ignore[union-attr]
    assert branch.tokenizer.decode(branch.corpus.train.ids.tolist()).count("ora?") > 10


def test_new_rows_of_moments_neither_push_nor_leap() -> None:
    rows = torch.arange(6.0).view(3, 2)
    moments = {f"optimizer.{one}.embedding.weight": rows for one in ("exp_avg", "exp_avg_sq", "momentum_buffer")}
    moments |= {"optimizer.step.output.bias": torch.tensor(7.0), "optimizer.exp_avg.rnn.weight_hh_l0": rows}
    found = with_new_moments(moments, 2)
    assert found["optimizer.exp_avg.embedding.weight"].tolist() == [*rows.tolist(), [0, 0], [0, 0]]
    assert found["optimizer.momentum_buffer.embedding.weight"][3:].abs().sum() == 0
    assert found["optimizer.exp_avg_sq.embedding.weight"][3:].tolist() == [[2, 3], [2, 3]]
    assert found["optimizer.step.output.bias"] == 7 and found["optimizer.exp_avg.rnn.weight_hh_l0"] is rows
    embedding = {"embedding.weight": torch.randn(50, 4) * 3 + 1}
    new = with_new_rows(embedding, 400, False, 1)["embedding.weight"][50:]
    assert torch.allclose(new.mean(0), embedding["embedding.weight"].mean(0), atol=0.6)
    assert torch.allclose(new.std(0), embedding["embedding.weight"].std(0), atol=0.6)


def test_an_adaptive_softmax_is_not_extended(world: World) -> None:
    run_to_end(world.trainer(world.config(**WORDS, softmax="adaptive", steps=1)))
    corpus = text(world, "other", " Dora?")
    with pytest.raises(LackingTokensError, match="cannot be extended") as error:
        branched(world, corpus=corpus, extend=True)
    assert not error.value.extendable
    assert branched(world, corpus=corpus, min_count=error.value.min_count).step == 0


def test_min_count_and_max_vocabulary_say_what_is_added(world: World) -> None:
    run_to_end(world.trainer(world.config(**WORDS, min_count=2, steps=1)))
    ours = world.folder().tokenizer()
    path = world.workspace.corpora / "rare.txt"
    path.write_text(world.text.read_text() + "Dora sees Emil, Emil and Frank.\n" + "Emil finds Frank.\n" * 2)
    corpus = str(path)
    with pytest.raises(LackingTokensError, match="'Emil', 'Frank' "):
        branched(world, corpus=corpus)
    extended = branched(world, name="two", corpus=corpus, extend=True)
    assert extended.tokenizer.tokens == [*ours.tokens, "Emil", "Frank"]  # "Dora", "and" and the comma occur once
    one = branched(world, name="one", corpus=corpus, extend=True, max_vocabulary=ours.size + 1)
    assert one.tokenizer.tokens == [*ours.tokens, "Emil"]
    with pytest.raises(ConfigError, match="no token can be added"):
        branched(world, corpus=corpus, extend=True, max_vocabulary=ours.size)
    with pytest.raises(ConfigError, match="a branch keeps them"):
        branched(world, max_vocabulary=ours.size - 1)


def test_its_own_text_is_read_as_the_parent_read_it(world: World) -> None:
    """What the parent's vocabulary leaves out by design is no reason to refuse its text."""
    parent = world.trainer(world.config(**WORDS, max_vocabulary=9, steps=1))
    run_to_end(parent)
    branch = branched(world)
    assert branch.corpus.train.unknown == parent.corpus.train.unknown > 0
    assert branched(world, name="grown", max_vocabulary=0, extend=True).corpus.train.unknown == 0


def test_a_text_of_nothing_but_unknown_words_is_refused(world: World) -> None:
    run_to_end(world.trainer(world.config(**WORDS, steps=1)))
    path = world.workspace.corpora / "greek.txt"
    path.write_text("alpha beta gamma delta\n" * 60)
    with pytest.raises(InputError, match="80% <unk>"):
        branched(world, corpus=str(path), min_count=1000)


def test_another_split_of_the_same_text_is_warned_of(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=1)))
    branched(world, split="80/10/10")
    assert any("another split" in one.message for one in world.emitted if isinstance(one, Notice))


# --- afterwards


@pytest.mark.parametrize("extend", [False, True])
def test_it_is_resumed_bit_for_bit_also_without_its_parent(extend: bool, world: World) -> None:
    run_to_end(world.trainer(world.config(checkpoint_every=7)))
    values: dict[str, Any] = {"eval_every": 6, "dropout": 0.2, "steps": 20, "keep": 50}
    if extend:
        values["corpus"] = text(world, "other", " ?!")
    run_to_end(branched(world, "run@7", "whole", optimizer=True, extend=extend, **values))
    broken = branched(world, "run@7", "broken", optimizer=True, extend=extend, **values)
    for _ in range(9):
        broken.advance()
    broken.checkpoint()
    broken.advance()
    world.kill()
    shutil.rmtree(world.folder("run").path)
    run_to_end(resumed(world, "broken"))
    assert world.steps("broken") == world.steps("whole") and len(world.steps("whole")) == 20
    world.kill()
    again = resumed(world, "whole", with_values(world.folder("whole").info().config, {"steps": 30}), "0")
    assert again.step == 0


def resumed(world: World, name: str, config: RunConfig | None = None, checkpoint: str = "latest") -> Trainer:
    """Resumes a run with its own tokenizer, as the engine does."""
    from rnnplay.text.encoding.encoded import encode_again

    folder = world.folder(name)
    config = config or folder.info().config
    corpus = encode_again(config, folder.info().corpus_sha256, folder.tokenizer(), world.workspace)
    trainer = Trainer.resume(config, corpus, folder, world.emitted.append, checkpoint=checkpoint)
    world._alive.append(trainer)
    return trainer


def test_a_branch_that_diverges_goes_back_to_what_it_began_with(world: World) -> None:
    run_to_end(world.trainer(world.config()))
    branch = branched(world, lr=0.001)
    before = weights(branch)
    for _ in range(3):
        branch.advance()
    assert branch.rollback("0").to == 0
    assert equal(weights(branch), before)


def test_a_parent_whose_weights_are_not_finite_is_refused(world: World) -> None:
    trainer = world.trainer(world.config(checkpoint_every=2, keep=9, steps=4))
    run_to_end(trainer)
    with torch.no_grad():
        trainer.model.embedding.weight[0, 0] = torch.nan
    trainer._loop.unsaved = True
    trainer.checkpoint()
    with pytest.raises(CheckpointError, match="not finite") as error:
        branched(world)
    assert error.value.instead == 2 and branched(world, "run@2").step == 0


def test_a_strangers_path_to_a_text_is_not_followed(world: World, tmp_path: Path) -> None:
    run_to_end(world.trainer(world.config(steps=1)))
    about = (world.folder().path / "run.json").read_text()
    (world.folder().path / "run.json").write_text(about.replace(str(world.text), "../" * 3 + "etc/passwd"))
    with pytest.raises(InputError, match="is not followed"):
        branched(world)
    assert branched(world, corpus=str(world.text)).step == 0
