"""The engine branches a run: refused where the text has other tokens, and trained once they may be added."""

from __future__ import annotations

import msgspec

from rnnplay.engine import messages
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics import records
from rnnplay.workspace import Workspace
from tests.engine.driving import TINY, engine

SHORT = msgspec.structs.replace(TINY, steps=4, eval_every=2, checkpoint_every=2, keep=5)


async def test_a_branch_is_refused_or_trained_as_it_is_asked_for(workspace: Workspace) -> None:
    text = (workspace.corpora / "small.txt").read_text(encoding="utf-8")
    (workspace.corpora / "other.txt").write_text(text.replace("e", "é"), encoding="utf-8")
    other = msgspec.structs.replace(SHORT, corpus="other")
    async with engine(workspace) as driver:
        driver.client.send(messages.Train(config=SHORT, run="one"))
        await driver.record(records.Finished)
        driver.events.clear()
        origin = messages.BranchFrom(checkpoint="one@2")
        driver.client.send(messages.Train(config=other, run="two", branch=origin))
        failed = await driver.event(messages.Failed)
        assert failed.extendable and "'é'" in failed.message and not failed.training
        assert not RunFolder(workspace.checkpoints / "two").holds_run()
        extended = msgspec.structs.replace(origin, extend_vocabulary=True)
        driver.client.send(messages.Train(config=other, run="two", branch=extended))
        await driver.record(records.Finished)
        begins = await driver.record(records.Validation)
        assert begins.step == 0
        parent = RunFolder(workspace.checkpoints / "two").info().parent
        assert parent is not None and (parent.name, parent.added_tokens) == ("one@2", 1)

        driver.events.clear()
        stranger = messages.BranchFrom(checkpoint="one@2", created="2020-01-01T00:00:00+00:00")
        driver.client.send(messages.Train(config=SHORT, run="three", branch=stranger))
        failed = await driver.event(messages.Failed)
        assert "'one' is another one than that which was chosen" in failed.message

        driver.events.clear()
        weights = RunFolder(workspace.checkpoints / "one").checkpoint_path(4) / "weights.safetensors"
        weights.write_bytes(b"broken")
        driver.client.send(messages.Train(config=SHORT, run="three", branch=messages.BranchFrom(checkpoint="one")))
        failed = await driver.event(messages.Failed)
        assert "one@2 can be used" in failed.message and failed.instead is None and not failed.extendable
        for name in ("nobody", "one@", ""):
            driver.events.clear()
            driver.client.send(messages.Train(config=SHORT, run="x", branch=messages.BranchFrom(checkpoint=name)))
            assert (await driver.event(messages.Failed)).command == "train"
