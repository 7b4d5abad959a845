"""A study in PostgreSQL, on which two workers with workspaces of their own work at the same time; one is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.experiments.sweep.studies import create_study, open_study
from rnnplay.experiments.sweep.worker import Worker
from rnnplay.workspace import Workspace
from tests.conftest import small_text
from tests.experiments.sweep.conftest import MakePlan


def programs() -> Path | None:
    """The folder with PostgreSQL's programs; Debian keeps them out of the PATH."""
    for found in (shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        if found and (folder := Path(found).resolve().parent / "pg_ctl").exists():
            return folder.parent
    return None


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of a database in a server of its own, which listens on a socket only."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg")
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # the path of a socket has to be short
    root = os.geteuid() == 0
    user = {"user": "nobody"} if root else {}  # it refuses to run as root
    if root:
        shutil.chown(home, "nobody")
    options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": home, **user}

    def call(program: str, *arguments: str) -> None:
        subprocess.run([folder / program, "-D", home / "data", *arguments], check=True, **quiet)  # type: ignore[call-overload]

    try:
        call("initdb", "-A", "trust", "-U", "rnnplay", "--no-sync", "-E", "UTF8", "--locale=C")
        call("pg_ctl", "-o", options, "-l", str(home / "log"), "-w", "start")
        yield f"postgresql+psycopg://rnnplay@/postgres?host={home}"
        call("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_two_workers_share_a_study_and_the_trial_of_one_that_is_killed_is_taken_up(
    server: str, workspace: Workspace, plan: MakePlan, tmp_path: Path
) -> None:
    other = Workspace(tmp_path / "other").create()
    (other.corpora / "small.txt").write_text(small_text(), encoding="utf-8")
    create_study("s", plan("cell=rnn,gru", "lr=0.01,0.03", steps=80, eval_every=0), workspace, server).close()
    command = [sys.executable, "-m", "rnnplay", "sweep", "--worker", "--study", "s", "--threads", "1"]
    first = subprocess.Popen(
        [*command, "--workspace", str(workspace.root)],
        stdout=subprocess.PIPE,
        env={**os.environ, "RNNPLAY_STORAGE": server},
    )
    assert first.stdout is not None
    first.stdout.readline()  # it trains
    first.send_signal(signal.SIGSTOP)  # and is there all the time, while the second one works
    second = open_study("s", other, server)
    Worker(second, other, 1, lambda _: None, lambda: False).run()
    states = [trial.state for trial in second.table().trials]
    assert states.count("training") == 1 and set(states) == {"training", "done"}
    first.kill()
    first.communicate()
    Worker(second, other, 1, lambda _: None, lambda: False).run()
    table = second.table()
    second.close()
    assert table.over and table.count("done") == 4
    ours, theirs = ({path.name for path in one.checkpoints.iterdir()} for one in (workspace, other))
    assert ours | theirs == {trial.run for trial in table.trials} == {"s-000", "s-001", "s-002", "s-003"}
    assert len(ours & theirs) == 1  # the one that the killed worker had begun


def as_user(server: str, user: str, database: str) -> str:
    return server.replace("rnnplay@/postgres", f"{user}@/{database}")


def run_sql(server: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_two_users_of_a_database_share_a_study_once_both_have_rights_on_its_tables(
    server: str, workspace: Workspace, plan: MakePlan, tmp_path: Path
) -> None:
    """By the role that docs/sweeps.md gives them; without it the second one is told, whichever table it is."""
    run_sql(server, "CREATE ROLE ann LOGIN", "CREATE ROLE bob LOGIN", "CREATE DATABASE studies OWNER ann")
    ann, bob = (as_user(server, user, "studies") for user in ("ann", "bob"))
    other = Workspace(tmp_path / "other").create()
    asked = plan("cell=rnn,gru", "lr=0.01,0.03")
    create_study("s", asked, workspace, ann).close()
    with pytest.raises(InputError, match=r"permission denied.*every user of a study needs the same rights"):
        open_study("s", other, bob)
    run_sql(ann, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob")
    with pytest.raises(InputError, match=r"permission denied for table rnnplay_claims"):
        create_study("s", asked, other, bob)

    run_sql(
        server,
        *("CREATE ROLE lab", "GRANT lab TO ann, bob", "CREATE DATABASE shared OWNER lab"),
        *(f"ALTER ROLE {user} IN DATABASE shared SET ROLE lab" for user in ("ann", "bob")),
    )
    ann, bob = (as_user(server, user, "shared") for user in ("ann", "bob"))
    first = create_study("s", asked, workspace, ann)
    second = create_study("s", asked, other, bob)
    taken = [study.next() for study in (first, second, second, first, second)]
    assert sorted(trial.number for trial in taken if trial is not None) == [0, 1, 2, 3] and taken[-1] is None
    first.close()
    second.close()


def test_a_database_that_is_away_is_said(workspace: Workspace) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(InputError, match=r"cannot be used \(.*\); the same command goes on where it was") as refused:
        open_study("s", workspace, "postgresql+psycopg://ann@/studies?host=/nowhere")
    assert "\n" not in str(refused.value)
