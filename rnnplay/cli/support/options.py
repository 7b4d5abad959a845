"""Options of the command line: one for each knob declared in rnnplay.config, and whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rnnplay.common.numbers import meant, whole_number

if TYPE_CHECKING:
    import msgspec

    from rnnplay.knobs import KnobSpec

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # before click 8.4 it is not generic

F = TypeVar("F", bound=Callable[..., Any])

METAVARS = {"int": "N", "float": "X", "text": "TEXT"}


def setting_options(function: F) -> F:
    """Adds --config and --preset, where the settings of a new run come from: `config_file` and `preset`."""
    for option in (
        click.option("--preset", metavar="NAME", help="Named settings to start from.  [default: quick]"),
        click.option(
            "--config",
            "config_file",
            metavar="FILE.toml",
            type=click.Path(path_type=Path),
            help="Settings from a file: one knob per line, named as in docs/options.md (batch_size = 64).",
        ),
    ):
        function = option(function)
    return function


class KnobType(ParamType):
    """Parses a knob's value; raises ConfigError, with the knob and its limits, for an invalid one."""

    def __init__(self, spec: KnobSpec) -> None:
        self.spec = spec
        self.name = spec.kind

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        return self.spec.parse(value) if isinstance(value, str) else value

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(choice) for choice in self.spec.choices if choice.startswith(incomplete)]


class KnobOption(click.Option):
    """The option of one knob; None if not given, so that only given options override a preset or a file."""

    def __init__(self, spec: KnobSpec) -> None:
        from rnnplay.knobs import GROUPS

        name = spec.option
        if spec.kind == "bool":
            super().__init__([f"{name}/--no-{name[2:]}", spec.name], default=None, help=help_text(spec))
        else:
            metavar = "|".join(spec.choices) or ("NAME|PATH|-" if spec.name == "corpus" else METAVARS[spec.kind])
            super().__init__(
                [name, spec.name], type=KnobType(spec), metavar=metavar, default=None, help=help_text(spec)
            )
        self.section = GROUPS[spec.knob.group]


class KnobCommand(click.Command):
    """A command whose --help lists the knobs by group, and that also accepts former names of renamed knobs."""

    def make_parser(self, ctx: click.Context) -> Any:
        """Returns a parser that refuses a knob given by both its names."""
        from rnnplay.knobs import RENAMED

        parser = super().make_parser(ctx)
        given_names: set[str] = set()

        def present_name(option: str) -> str:
            given_names.add(_knob_name(option))
            for old, new in RENAMED.items():
                if {old, new} <= given_names:
                    former, present = _option(old), _option(new)
                    raise click.UsageError(f"{former} is the former name of {present}; give only {present}.", ctx)
            return _present_name(option)

        # From here on click calls it with the options as they are on the command line, one after the other.
        ctx.token_normalize_func = present_name
        return parser

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(param, "section", "Options"), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)


def _present_name(option: str) -> str:
    """Returns the present name of a renamed option, without its dashes; any other unchanged."""
    from rnnplay.knobs import RENAMED

    new = RENAMED.get(_knob_name(option))
    return option if new is None else ("no-" if option.startswith("no-") else "") + new.replace("_", "-")


def _knob_name(option: str) -> str:
    """Returns the name of the knob that an option without its dashes sets, or would set."""
    return option.removeprefix("no-").replace("-", "_")


def _option(knob: str) -> str:
    return "--" + knob.replace("_", "-")


def knob_options(config_type: type[msgspec.Struct], exclude: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Adds an option for each knob of `config_type`; the callback gets them by the knobs' names, None if not given."""
    from rnnplay.config import knobs

    def decorate(function: F) -> F:
        params: list[click.Parameter] = function.__dict__.setdefault("__click_params__", [])
        # click reverses this list, which decorators fill from the last to the first.
        params.extend(KnobOption(spec) for name, spec in reversed(knobs(config_type).items()) if name not in exclude)
        return function

    return decorate


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the knobs of a callback that were given on the command line."""
    return {name: value for name, value in values.items() if value is not None}


def help_text(spec: KnobSpec) -> str:
    """Returns the help of a knob's option: its meaning, when it has an effect, what 0 or -1 means, its default."""
    text = spec.knob.help
    if spec.needs:
        text += f" (with {spec.needs})"
    if spec.special:
        number, meaning = spec.special
        text += f" ({number}: {meaning})"
    return f"{text}  [default: {shown_default(spec)}]"


def shown_default(spec: KnobSpec) -> str:
    """Formats a knob's default as a user would type it."""
    from rnnplay.knobs import typed

    return typed(spec.default)


class WholeNumber(ParamType):
    """Parses a whole number from `low` to `high` with the grammar of the knobs: 1,000 is a thousand, 0,5 is invalid."""

    name = "integer"

    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = whole_number(value) if isinstance(value, str) else value
        if number is None or not self._within(number):
            hint = meant(value, whole=True) if isinstance(value, str) else ""
            hint = f"; write {hint}" if hint and self._within(int(hint)) else ""
            self.fail(f"{str(value)[:60]!r} is not {self._allowed}{hint}.", param, ctx)
        assert isinstance(number, int)
        return number

    def _within(self, number: int) -> bool:
        return (self.low is None or self.low <= number) and (self.high is None or number <= self.high)

    @property
    def _allowed(self) -> str:
        low = "" if self.low is None else f" from {self.low:,}"
        return f"a whole number{low}{'' if self.high is None else f' to {self.high:,}'}"
