"""How torchrun has started a process, as its environment says; which run it goes on with after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.common import processors
from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, InputError
from rnnplay.runs.launch import BY_ITSELF, check_divisible, launched
from tests.training.world import World, run_to_end

ENVIRONMENT = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "TORCHELASTIC_RESTART_COUNT": "2",
    "TORCHELASTIC_MAX_RESTARTS": "3",
    "TORCHELASTIC_RUN_ID": "1234",
}


def test_the_environment_of_torchrun_is_read() -> None:
    launch = launched(ENVIRONMENT)
    assert launch is not None and launch == (5, 8, 1, 4, 2, 3, "1234") and not launch.one_host


def test_without_torchrun_a_process_is_by_itself() -> None:
    """Also where a batch system sets RANK and WORLD_SIZE: nobody may be waited for who is not there."""
    assert launched({"RANK": "5", "WORLD_SIZE": "8"}) is None
    assert launched({"TORCHELASTIC_RUN_ID": "none"}) == BY_ITSELF


@pytest.mark.parametrize(("batch", "near"), [(10, "8 or 12"), (3, "4")])
def test_rows_must_be_divisible(batch: int, near: str) -> None:
    with pytest.raises(ConfigError, match=f"--batch-size {near}, or"):
        check_divisible(RunConfig(batch_size=batch), 4)
    check_divisible(RunConfig(batch_size=12), 4)


def test_mps_is_for_one_process() -> None:
    with pytest.raises(ConfigError, match="only one process"):
        check_divisible(RunConfig(device="mps"), 2)
    check_divisible(RunConfig(device="mps"), 1)


def test_a_run_that_may_be_restarted_needs_a_name() -> None:
    with pytest.raises(InputError, match="give it one with --run"):
        BY_ITSELF._replace(most_restarts=1).check_name(None)
    BY_ITSELF._replace(most_restarts=1).check_name("a")
    BY_ITSELF.check_name(None)


def test_a_restart_goes_on_with_its_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    restarted = BY_ITSELF._replace(restarts=1)
    assert restarted.begun(world.workspace, "run") is None  # killed before its first checkpoint
    trainer = world.trainer(world.config())
    found = restarted.begun(world.workspace, "run")
    assert found is not None and found.path == world.folder().path
    assert BY_ITSELF.begun(world.workspace, "run") is None and restarted.begun(world.workspace, None) is None
    trainer.close()


def test_the_same_job_goes_on_with_its_run_until_it_has_ended(tmp_path: Path) -> None:
    """Of hosts that join, and of a job that a batch system starts again, torchrun counts no restart."""
    from rnnplay.training.processes.group import Group
    from rnnplay.training.trainer import Trainer

    world = World(tmp_path)
    job = BY_ITSELF._replace(job="77")
    config = world.config(steps=2)
    trainer = Trainer(config, world.encode(config), world.folder(), world.emitted.append, group=Group(job))
    assert job.begun(world.workspace, "run") is not None
    assert BY_ITSELF._replace(job="78").begun(world.workspace, "run") is None
    run_to_end(trainer)
    assert job.begun(world.workspace, "run") is None


def test_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchrun itself sets OMP_NUM_THREADS to 1; a larger one is the user's."""
    monkeypatch.setattr(processors, "processors", lambda: list(range(16)))
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 12)
    for limit, processes, each in (("", 4, 3), ("1", 4, 3), ("2", 4, 2), ("8", 4, 3), ("", 32, 1)):
        monkeypatch.setenv("OMP_NUM_THREADS", limit)
        assert processors.share_of_cores(processes) == each
