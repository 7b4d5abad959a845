"""The config behind fields: a valid text counts at once, an invalid one stays beside it, and stepping replaces both."""

from __future__ import annotations

from rnnplay.config import AdaptationConfig, SamplingConfig, knobs
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.typed_settings import TypedSettings


def field_of(name: str) -> KnobField:
    return KnobField(knobs(SamplingConfig)[name])


def test_what_is_typed_counts_as_far_as_it_is_allowed() -> None:
    settings, field = TypedSettings(SamplingConfig()), field_of("temperature")
    settings.take(KnobField.Typed(field, "0.5", done=False))
    assert settings.config.temperature == 0.5
    settings.take(KnobField.Typed(field, "500", done=True))
    assert settings.config.temperature == SamplingConfig().temperature
    assert settings.errors.keys() == {"temperature"} and settings.error == settings.errors["temperature"]
    settings.take(KnobField.Typed(field_of("length"), "7", done=True))
    assert settings.config.length == 7
    settings.take(KnobField.Undone(field))
    assert not settings.errors and settings.config == SamplingConfig(length=7)


def test_a_step_begins_at_what_is_typed_and_replaces_it() -> None:
    settings, field = TypedSettings(SamplingConfig()), field_of("length")
    settings.take(KnobField.Typed(field, "40", done=False))
    settings.take(KnobField.Stepped(field, 1))
    assert settings.config.length > 40
    settings.take(KnobField.Undone(field))
    assert settings.config.length > 40, "nothing was being typed any more"


def test_fields_of_other_settings_are_left_alone() -> None:
    fields = {name: field_of(name) for name in ("length", "seed")} | {
        name: KnobField(spec) for name, spec in knobs(AdaptationConfig).items()
    }
    settings = TypedSettings(SamplingConfig(length=9))
    settings.show(fields, irrelevant=frozenset({"seed"}))
    assert fields["length"].value == 9 and fields["length"].changed
    assert fields["seed"].irrelevant and not fields["length"].irrelevant
    assert not settings.owns(fields["cache"])
