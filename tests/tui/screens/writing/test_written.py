"""What was drawn from a run is kept there, and comes back to the prompt with its settings."""

from __future__ import annotations

from rnnplay.config import SamplingConfig
from rnnplay.engine.messages import Sample, SampleText
from rnnplay.runs.samples.written import Written, WrittenFile
from rnnplay.tui.screens.writing.written import WrittenScreen, settings_text
from tests.tui.stage import Stage, shown, until


async def test_a_sample_of_the_prompt_comes_back_with_its_settings(stage: Stage) -> None:
    app = stage.open()
    async with app.run_test(size=(80, 24)) as pilot:
        await stage.train(pilot)
        await pilot.press("g", *"Once", "enter")
        await until(pilot, lambda: bool(stage.engine.of(Sample)))
        drawn = stage.engine.of(Sample)[-1]
        stage.engine.say(SampleText(request=drawn.request, text=" upon"))
        stage.engine.say(SampleText(request=drawn.request, text=" a time\x1b[31m", done=True))
        await pilot.pause()
        assert stage.state.run is not None
        (kept,) = WrittenFile(stage.workspace.checkpoints / stage.state.run).read()
        assert (kept.prompt, kept.text, kept.sampling) == ("Once", " upon a time\x1b[31m", drawn.sampling)
        await pilot.press("ctrl+u", "escape", "V")
        await until(pilot, lambda: isinstance(app.screen, WrittenScreen))
        await until(pilot, lambda: "enter" in app.screen.active_bindings)
        assert app.screen.active_bindings["enter"].binding.show  # in the footer, though the list has a key of its own
        await until(pilot, lambda: "Once upon a time␛[31m" in shown(app.screen, "#written-text"))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is stage.playground)
        assert (stage.prompt.text, stage.prompt.sampling) == ("Once", drawn.sampling)


def test_the_settings_that_are_unusual_are_named() -> None:
    one = Written(step=1200, prompt="", text="a", sampling=SamplingConfig(seed=7, top_k=5), time="2026-01-02T03:04:05")
    assert settings_text(one) == "step 1,200 · temperature 0.8 · top k 5 · seed 7 · 2026-01-02 03:04"
