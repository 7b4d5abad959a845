"""The course of a race in terms of events and commands; no engine is started."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from rnnplay.config import RunConfig, with_values
from rnnplay.engine import messages
from rnnplay.errors import ConfigError
from rnnplay.experiments.race import Entry, Race
from rnnplay.experiments.race_names import race_number, run_names
from rnnplay.experiments.race_plan import RacePlan, plan_race
from rnnplay.experiments.sharing import Share
from rnnplay.experiments.standings import Progress
from rnnplay.experiments.variants import ready, vary
from rnnplay.runs.metrics.records import Finished, Record, Started, Step, Validation

SETUP = RunConfig(hidden=8, embedding=8, steps=100)
READY = messages.Ready(pid=1, torch="2", device="cpu")
STARTED = Started(run="run", parameters=100, vocabulary=10, device="cpu")


def race_of(share: Share | None = None, cores: int = 2, setup: RunConfig = SETUP) -> Race:
    plan = plan_race(setup, ready("cells", setup), cores=cores, share=share)
    return Race(plan, plan.races()[0], run_names(plan.races(), ())[0])


def step(number: int, tokens: int = 10) -> Step:
    return Step(
        step=number,
        loss=1.0,
        grad_norm=1.0,
        grad_norm_clipped=1.0,
        clipped=False,
        lr=0.1,
        tokens=number * tokens,
        tokens_per_second=100.0,
    )


def progress(seconds: float, *records: Record) -> messages.Progress:
    return messages.Progress(records=list(records), seconds=seconds)


def begin(race: Race) -> list[tuple[Entry, messages.Command]]:
    """Lets every engine get ready and start its run; returns what is sent once all have."""
    told: list[tuple[Entry, messages.Command]] = []
    for entry in race.entries:
        race.heard(entry, READY)
        race.commands()
    for entry in race.entries:
        race.heard(entry, progress(0.0, STARTED))
        race.heard(entry, messages.Waiting(step=0, tokens=0, seconds=0.0))
        told = race.commands()
    return told


def sent(told: Sequence[tuple[Entry, messages.Command]]) -> list[tuple[str, messages.Command]]:
    return [(entry.variant.label, command) for entry, command in told]


def test_all_begin_together_and_one_prepares_the_text_first() -> None:
    race = race_of("threads")
    rnn, gru, lstm = race.entries
    assert race.commands() == []
    for entry in (gru, rnn):
        race.heard(entry, READY)
    (first, wait), (second, train) = race.commands()
    assert (first, second) == (rnn, rnn) and wait == messages.Allow(steps=0)
    assert train == messages.Train(config=rnn.variant.config, run="race-01-rnn")
    assert race.commands() == []  # each is sent once, and the GRU waits for the text
    race.heard(rnn, progress(0.0, STARTED))
    assert [label for label, _ in sent(race.commands())] == ["GRU", "GRU"]
    race.heard(gru, progress(0.0, STARTED))
    race.heard(lstm, READY)
    assert [label for label, _ in sent(race.commands())] == ["LSTM", "LSTM"]
    assert not race.over
    race.heard(lstm, progress(0.0, STARTED))
    assert sent(race.commands()) == [(label, messages.Allow()) for label in ("RNN", "GRU", "LSTM")]


def test_texts_that_differ_are_prepared_at_the_same_time() -> None:
    plan = plan_race(SETUP, vary(SETUP, {"lowercase": [True, False]}), cores=2)
    race = Race(plan, plan.races()[0], ["a", "b"])
    for entry in race.entries:
        race.heard(entry, READY)
    assert len(race.commands()) == 4
    assert plan.quality == "bits_per_character"


def test_tokens_of_other_sizes_are_compared_by_bits_per_character() -> None:
    pairs = with_values(SETUP, {"tokens": "bpe"})
    assert plan_race(pairs, vary(pairs, {"bpe_size": [500, 2000]}), cores=2).quality == "bits_per_character"
    assert plan_race(pairs, vary(pairs, {"lr": [0.01, 0.02]}), cores=2).quality == "loss"


def test_turns_are_passed_on() -> None:
    race = race_of("seconds")
    rnn, _, lstm = race.entries
    assert sent(begin(race)) == [
        *(("RNN", messages.Allow(seconds=1.0)), ("GRU", messages.Allow(seconds=1.0))),
        ("LSTM", messages.Allow(seconds=0.0)),
    ]
    race.heard(rnn, progress(0.5, step(1), step(2)))
    assert (rnn.phase, lstm.phase, race.commands()) == ("trains", "waits", [])
    race.heard(rnn, messages.Waiting(step=4, tokens=40, seconds=1.01))
    assert sent(race.commands()) == [("RNN", messages.Allow(seconds=1.01)), ("LSTM", messages.Allow(seconds=1.0))]
    assert rnn.phase == "waits"


def test_records_are_dated_within_their_batch() -> None:
    race = race_of("threads")
    begin(race)
    rnn = race.entries[0]
    loss = Validation(step=2, loss=1.0, perplexity=2.7, bits_per_character=1.4)
    race.heard(rnn, progress(4.0, step(1), loss, step(2), step(3)))
    assert rnn.progress.validations[0].at.seconds == 2.0
    assert race.standings().rows[0].seconds == 4.0


def test_one_that_fails_does_not_hold_up_the_others() -> None:
    race = race_of("seconds")
    rnn, gru, lstm = race.entries
    race.heard(rnn, READY)
    race.commands()
    race.heard(rnn, messages.Failed(message="There is not enough memory.", command="train"))
    assert (rnn.phase, rnn.why) == ("failed", "There is not enough memory.")
    race.failed(gru, "Its engine could not be started.")
    race.heard(lstm, READY)
    race.commands()
    race.heard(lstm, progress(0.0, STARTED))
    assert sent(race.commands()) == [("LSTM", messages.Allow(seconds=1.0))]
    race.heard(lstm, progress(1.0, step(1), Finished(step=1, reason="length")))
    assert race.over
    assert [row.state for row in race.standings().rows] == ["failed", "failed", "length"]
    race.failed(lstm, "Its engine has ended.")
    assert lstm.phase == "ended"


def test_one_is_paused_dropped_and_added() -> None:
    race = race_of("seconds")
    begin(race)
    rnn, gru, _ = race.entries
    assert race.pause(rnn) == messages.Pause()
    race.heard(rnn, messages.Paused(step=0))
    assert sent(race.commands()) == [("LSTM", messages.Allow(seconds=1.0))]
    assert race.pause(rnn) == messages.Continue()
    race.heard(rnn, messages.Continued(step=0))
    assert race.drop(gru) == messages.Stop()
    race.heard(gru, progress(0.3, Finished(step=3, reason="stopped")))
    assert (gru.state, race.drop(gru)) == ("stopped", None)
    added = race.add(vary(SETUP, {"lr": [0.1, 0.2]})[0], "more")
    assert added.variant.config.threads == 1
    race.heard(added, READY)
    assert [label for label, _ in sent(race.commands())][-2:] == ["lr 0.1"] * 2
    assert race.drop(added) == messages.Stop()
    late = race.add(vary(SETUP, {"lr": [0.1, 0.2]})[1], "late")
    assert race.drop(late) is None and late.over


def test_a_gpu_is_used_by_one_at_a_time() -> None:
    race = race_of(None, cores=16)
    assert race.sharing.share == "threads"
    race.heard(race.entries[0], messages.Ready(pid=1, torch="2", device="cuda"))
    assert (race.sharing.share, race.sharing.at_once) == ("seconds", 1)
    on_cpu = race_of(None, cores=16, setup=with_values(SETUP, {"device": "cpu"}))
    on_cpu.heard(on_cpu.entries[0], messages.Ready(pid=1, torch="2", device="cuda"))
    assert on_cpu.sharing.share == "threads"


def test_what_is_compared_follows_from_the_turns_else_from_the_length() -> None:
    def measure(share: Share | None, **length: float) -> str:
        setup = with_values(SETUP, length)
        return plan_race(setup, ready("cells", setup), cores=2, share=share).measure

    assert [measure(None, steps=9), measure(None, epochs=1.0), measure(None, minutes=1.0)] == [
        "steps",
        "tokens",
        "seconds",
    ]
    assert [measure("threads", steps=9), measure("tokens", steps=9)] == ["steps", "tokens"]


def test_a_plan_is_the_same_after_a_journey_as_json() -> None:
    import msgspec

    plan = plan_race(SETUP, ready("clip", SETUP), cores=2, repeats=2, match_parameters=lambda _: 10)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=RacePlan) == plan
    assert plan.parameters and "2 seeds" in plan.described() and f"{plan.parameters:,} parameters" in plan.described()


def test_threads_that_were_asked_for_stay() -> None:
    setup = with_values(SETUP, {"threads": 3})
    assert {variant.config.threads for variant in plan_race(setup, ready("cells", setup), cores=2).variants} == {3}


def test_a_seed_that_is_varied_cannot_be_repeated() -> None:
    with pytest.raises(ConfigError, match="seed is varied"):
        plan_race(SETUP, vary(SETUP, {"seed": [1, 2]}), cores=2, repeats=2)


def test_names_of_runs_are_new_and_tell_variants_and_seeds_apart() -> None:
    setup = with_values(SETUP, {"corpus": "a/b"})
    plan = plan_race(setup, vary(setup, {"lr": [0.1, 0.2]}), cores=2, repeats=2)
    assert run_names(plan.races(), ["race-07-lstm", "race-x", "tales-lstm-256-01"]) == [
        ["race-08-lr-0.1", "race-08-lr-0.2"],
        ["race-08-lr-0.1-seed-2", "race-08-lr-0.2-seed-2"],
    ]
    same = plan_race(setup, vary(setup, {"corpus": ["x/a b", "y/a-b", "∴"]}), cores=2)
    assert run_names(same.races(), [])[0] == ["race-01-a-b", "race-01-a-b-2", "race-01-variant"]


def test_one_that_ended_is_taken_back_and_catches_up_by_turns() -> None:
    race = race_of("steps", cores=1)
    begin(race)
    first = race.entries[0]
    race.heard(first, progress(2.0, step(3), Finished(step=3, reason="stopped")))
    assert first.over
    assert race.resume(first) == messages.Allow(steps=0) and not first.over
    race.heard(first, progress(2.0, msgspec.structs.replace(STARTED, step=3)))
    for entry in race.entries[1:]:
        race.heard(entry, progress(20.0, step(40)))
    race.commands()
    assert first.told is not None and (first.told.steps or 0) > 3
    assert all(entry.told == messages.Allow(steps=40) for entry in race.entries[1:])


def test_one_that_never_began_begins_when_it_is_taken_back() -> None:
    race = race_of()
    begin(race)
    added = race.add(race.entries[0].variant, "another")
    race.failed(added, "Its engine has ended.")
    assert race.resume(added) is None
    race.heard(added, READY)
    assert [command for _, command in race.commands() if isinstance(command, messages.Train)]


def test_a_run_that_joins_is_named_after_its_race() -> None:
    variants = [ready("cells", SETUP)[:1]]
    taken = ["race-02-rnn", "race-02-rnn-2", "race-07-gru"]
    assert run_names(variants, taken, number=2) == [["race-02-rnn-3"]]
    assert (race_number("race-02-rnn"), race_number("tales-lstm-256-01")) == (2, 0)


def test_new_runs_begin_with_the_plans_checkpoint_and_resumed_ones_go_on() -> None:
    origin = messages.BranchFrom(checkpoint="first@4")
    plan = plan_race(SETUP, ready("rates", SETUP), cores=3, branch=origin)
    race = Race(plan, plan.races()[0], run_names(plan.races(), ())[0])
    race.take_up(race.entries[0], Progress())
    told: list[tuple[Entry, messages.Command]] = []
    for entry in race.entries:
        race.heard(entry, READY)
        told += race.commands()
        race.heard(entry, progress(0.0, STARTED))
    trains = [command for _, command in told if isinstance(command, messages.Train)]
    assert [(one.resume, one.branch) for one in trains] == [(True, None), (False, origin), (False, origin)]
    assert "from the weights of first@4" in plan.described()
