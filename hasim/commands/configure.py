"""``hasim configure``: from a wanted quality of service to the settings of a detector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from hasim.commands.options import examples, format_option
from hasim.commands.shell import FINE, fail
from hasim.units import parse_duration, parse_percent, seconds

C = TypeVar("C", bound=Callable[..., Any])


class Value(click.ParamType[float]):
    """A duration (in seconds) or a percentage (as a ratio), as scenarios write them."""

    def __init__(self, name: str, parse: Callable[[str], float]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number; a message about what was expected otherwise."""
        if isinstance(value, float):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Value("duration", lambda text: seconds(parse_duration(text)))
SHARE = Value("percentage", parse_percent)


def _duration(flag: str, meaning: str) -> Callable[[C], C]:
    return click.option(flag, type=DURATION, required=True, metavar="TIME", help=meaning)


@click.command(
    epilog=examples(
        "hasim configure nfd-e --detection-time 5s --mistake-recurrence 7d \\\n"
        "      --delay-mean 20ms",
    )
)
@click.argument("detector", type=click.Choice(["nfd-s", "nfd-e"]))
@_duration("--detection-time", "A crash is detected within this (nfd-e: and the mean delay).")
@_duration("--mistake-recurrence", "Mistakes are at least this far apart, in the mean.")
@click.option(
    "--mistake-duration",
    type=DURATION,
    default="60s",
    show_default=True,
    metavar="TIME",
    help="A mistake lasts at most this long, in the mean.",
)
@click.option(
    "--loss", type=SHARE, default="0%", show_default=True, metavar="SHARE", help="Heartbeats lost."
)
@click.option(
    "--delay-mean",
    type=DURATION,
    metavar="TIME",
    help="Mean delay of a heartbeat (nfd-s).",
)
@click.option(
    "--delay-deviation",
    type=DURATION,
    metavar="TIME",
    help="Standard deviation of the delay.  [default: the mean]",
)
@click.option(
    "--delay-law",
    type=click.Choice(["unknown", "exponential"]),
    default="unknown",
    show_default=True,
    help="With an unknown law the bounds hold for any that has this mean and deviation.",
)
@format_option
def configure(
    detector: str,
    detection_time: float,
    mistake_recurrence: float,
    mistake_duration: float,
    loss: float,
    delay_mean: float | None,
    delay_deviation: float | None,
    delay_law: str,
    style: str,
) -> int:
    """Work out a detector's settings from the wanted quality.

    The longest interval between heartbeats that keeps the bounds, and what goes with it
    (Chen, Toueg, Aguilera 2002). Exit code 2 if nothing does.
    """
    from hasim.api import configure as work_out
    from hasim.commands.output import show

    try:
        found = work_out(
            detector,
            detection_time=detection_time,
            mistake_recurrence=mistake_recurrence,
            mistake_duration=mistake_duration,
            loss=loss,
            delay_mean=delay_mean,
            delay_deviation=delay_deviation,
            delay_law=delay_law,
        )
    except ValueError as error:
        fail(str(error))
    show(found, style)
    return FINE
