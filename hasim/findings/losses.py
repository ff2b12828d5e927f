"""What outages are made of, by cell: detection and failover times, phases, causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.findings.tables import Tables
from hasim.measures.causes import CAUSES
from hasim.report.cells import labels
from hasim.report.survival import Observation

if TYPE_CHECKING:
    import pandas as pd

PHASES = {
    "held": "held_s",
    "deciding": "deciding_s",
    "fencing": "fencing_s",
    "selecting": "selecting_s",
    "catching up": "catching_up_s",
    "handing over": "handing_over_s",
    "transferring": "transferring_s",
    "promoting": "promoting_s",
    "redirecting": "redirecting_s",
    "rolling back": "rolling_back_s",
    "waiting": "waiting_s",
}
"""The phases of a failover, and the columns that sum them up."""

FOLLOWING = {
    "names": "name_s",
    "pools": "pool_s",
    "staying": "stay_s",
    "nothing to send": "pause_s",
}
"""What clients add after it, and the columns that sum it up over them."""


def names_of(found: Tables) -> dict[int, str]:
    """The name of each cell by its number."""
    return dict(zip((index for index, _ in found.cells), labels(found.cells), strict=True))


def detections(found: Tables) -> dict[str, list[Observation]]:
    """(seconds, censored) of each incident that counts for detection, by cell."""
    return _observed(found, found.incidents, "detection_s", "censored_s")


def failovers(found: Tables) -> dict[str, list[Observation]]:
    """(seconds, censored) of each failover that counts, by cell."""
    return _observed(found, found.failovers, "failover_s", "censored_s")


def _observed(
    found: Tables, frame: pd.DataFrame, done: str, pending: str
) -> dict[str, list[Observation]]:
    names = names_of(found)
    observed: dict[str, list[Observation]] = {name: [] for name in names.values()}
    for index, name in names.items():
        rows = frame[frame["cell"] == index]
        observed[name] += [(float(value), False) for value in rows[done].dropna()]
        observed[name] += [(float(value), True) for value in rows[pending].dropna()]
    return observed


def phases(found: Tables) -> dict[str, dict[str, float]]:
    """Mean seconds of each phase, over the incidents that took service down, by cell.

    Until the master was suspected, until it was declared (both only of those that were detected),
    then what the steps of all failovers that answered them took; then, of clients that keep names
    or connections, the mean of those that followed. Incidents count that took nothing down but
    the master that clients were at.
    """
    places = ["cell", "replication", "number"]
    followed = found.followed.rename(columns={"incident": "number"}).dropna(subset="number")
    by_incident = followed.groupby(places)[["clients", *FOLLOWING.values()]].sum()
    all_of = found.incidents.join(by_incident, on=places)
    down = all_of[(all_of["partitions"] > 0) | all_of["clients"].notna()]
    made: dict[str, dict[str, float]] = {}
    for index, name in names_of(found).items():
        own = down[down["cell"] == index]
        if own.empty:
            made[name] = {}
            continue
        suspect = (own["suspected_at_s"] - own["started_at_s"]).where(own["detection_s"].notna())
        declare = own["detection_s"] - suspect.fillna(0.0)
        parts = {"until suspected": suspect.sum(), "until declared": declare.sum()}
        steps = found.failovers[found.failovers["incident"].isin(own["incident"])]
        parts |= {phase: steps[column].sum() for phase, column in PHASES.items()}
        for phase, column in FOLLOWING.items():
            parts[phase] = (own[column] / own["clients"]).sum()
        made[name] = {phase: float(total) / len(own) for phase, total in parts.items()}
    return made


def causes(found: Tables) -> dict[str, dict[str, float]]:
    """The share of all time in which any partition was down, by cause, by cell."""
    made: dict[str, dict[str, float]] = {}
    for index, name in names_of(found).items():
        runs = list(found.measured(index).values())
        whole_s = sum(run.horizon_s for run in runs) or 1.0
        made[name] = {
            cause.replace("_", " "): sum(getattr(run.service, f"{cause}_s") for run in runs)
            / whole_s
            for cause in CAUSES
        }
    return made
