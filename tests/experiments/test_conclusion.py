"""What a race has shown: means and ranges over its seeds, the best run, and what is left out."""

from __future__ import annotations

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.experiments.conclusion import Conclusion, conclude
from rnnplay.experiments.race import Race
from rnnplay.experiments.race_names import run_names
from rnnplay.experiments.race_plan import RacePlan, plan_race
from rnnplay.experiments.variants import vary
from rnnplay.runs.metrics.records import Finished, Record, Started, Step, Validation

SETUP = RunConfig(hidden=8, embedding=8, steps=100)


def step(number: int) -> Step:
    numbers = {"loss": 1.0, "grad_norm": 1.0, "grad_norm_clipped": 1.0, "lr": 0.1, "tokens_per_second": 100.0}
    return Step(step=number, clipped=False, tokens=10 * number, **numbers)


def raced(losses: list[list[float | None]], ended: str = "length") -> tuple[RacePlan, list[Race]]:
    """Races of an RNN and an LSTM with these losses, by seed; None: not trained. The last race `ended` so."""
    plan = plan_race(SETUP, vary(SETUP, {"cell": ["rnn", "lstm"]}), cores=2, repeats=len(losses))
    names = run_names(plan.races(), ())
    races = [Race(plan, race, runs) for race, runs in zip(plan.races(), names, strict=True)]
    for race, seed in zip(races, losses, strict=True):
        reason = ended if race is races[-1] else "length"
        for entry, loss in zip(race.entries, seed, strict=True):
            if loss is None:
                race.failed(entry, "There is not enough memory.")
                continue
            started = Started(run=entry.run, parameters=50, vocabulary=5, device="cpu")
            validation = Validation(step=10, loss=loss, perplexity=2.0, bits_per_character=1.0)
            records: list[Record] = [started, step(10), validation, Finished(step=10, reason=reason)]
            race.heard(entry, messages.Progress(records=records, seconds=2.0))
    return plan, races


def concluded(losses: list[list[float | None]], ended: str = "length") -> Conclusion:
    return conclude(*raced(losses, ended))


def test_variants_are_in_the_order_of_their_means() -> None:
    found = concluded([[1.0, 0.75], [1.5, 1.25]])
    assert [one.label for one in found.variants] == ["LSTM", "RNN"]
    lstm = found.variants[0]
    assert (lstm.spread.mean, lstm.spread.low, lstm.spread.high) == (1.0, 0.75, 1.25) if lstm.spread else False
    assert (lstm.seeds, lstm.runs) == ([1, 2], ["race-01-lstm", "race-01-lstm-seed-2"])
    assert (lstm.steps, lstm.tokens_per_second, lstm.parameters) == ([10, 10], 50.0, 50)
    assert (found.best_run, found.at) == ("race-01-lstm", [10, 10])
    assert found.told_apart[0].startswith("The ranges of LSTM and RNN overlap over 2 seeds")


def test_one_that_failed_comes_last_and_says_why() -> None:
    found = concluded([[None, 0.75]])
    assert [(one.label, one.figures) for one in found.variants] == [("LSTM", [0.75]), ("RNN", [None])]
    assert found.variants[1].failures == ["There is not enough memory."] and found.told_apart == []


def test_without_a_figure_there_is_no_best_run() -> None:
    found = concluded([[None, None]])
    assert (found.best_run, found.told_apart, found.variants[0].spread) == (None, [], None)


def test_a_seed_that_was_stopped_does_not_count_beside_others() -> None:
    """Its losses are those of shorter trainings."""
    found = concluded([[1.0, 0.75], [3.0, 3.5]], ended="stopped")
    assert [one.seeds for one in found.variants] == [[1], [1]]
    alone = concluded([[3.0, 3.5]], ended="stopped")
    assert [one.label for one in alone.variants] == ["RNN", "LSTM"]
