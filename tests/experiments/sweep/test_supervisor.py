"""Workers that a sweep cannot start."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnplay.errors import RnnplayError
from rnnplay.experiments.sweep.studies import create_study
from rnnplay.experiments.sweep.supervisor import Supervisor
from rnnplay.workspace import Workspace
from tests.experiments.sweep.conftest import MakePlan


def test_a_worker_that_cannot_be_started_is_said_in_a_sentence(
    workspace: Workspace, plan: MakePlan, tmp_path: Path
) -> None:
    study = create_study("s", plan("lr=0.01,0.02"), workspace)
    missing = str(tmp_path / "missing")
    supervisor = Supervisor(study, [missing], {}, 1, lambda *_: None, lambda _: None)
    with pytest.raises(RnnplayError, match=r"A worker could not be started\. .*No such file.*check the installation"):
        supervisor.run(lambda: False)
