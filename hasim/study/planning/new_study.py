"""What a scenario asks for, as a study with nothing done yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from hasim.scenario.cells import Cell, Cells
from hasim.scenario.loader import LOOKED_AT
from hasim.scenario.remarks import uncompiled
from hasim.study.planning.keys import key_of, with_contents
from hasim.study.planning.outcomes import CellInfo
from hasim.study.planning.own_algorithms import own_algorithms, plain_python
from hasim.study.planning.study import Options, Study

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded


def new_study(loaded: Loaded, options: Options = Options()) -> Study:  # noqa: B008 - frozen
    """What a scenario asks for, with nothing done yet."""
    scenario = loaded.scenario
    projection, seed = scenario.projection, scenario.seed
    cells, large = loaded.cells, len(loaded.cells) > LOOKED_AT
    return Study(
        name=scenario.name,
        seed=scenario.seed,
        replications=scenario.replications,
        cells=PlannedCells(cells) if large else tuple(_keyed(cell, seed) for cell in cells),
        expect={item.measure: item.text for item in scenario.expect},
        baseline=dict(scenario.baseline),
        projection=(projection.mtbf_ns, projection.period_ns) if projection else None,
        notes=_notes(loaded),
        resolved=loaded.resolved(),
        options=options,
        base=key_of(scenario.world(), seed, name=scenario.name),
        plan=key_of(
            scenario.world(),
            seed,
            vary=with_contents(loaded.data.get("vary")),
            traces=with_contents(loaded.traces(), "trace"),
        ),
        find_key=(lambda index: _keyed(cells[index], seed).key) if large else None,
    )


def _keyed(cell: Cell, seed: int) -> CellInfo:
    return CellInfo(cell.index, dict(cell.varied), key_of(cell.world, seed))


class PlannedCells(Sequence[CellInfo]):
    """The cells of a large study, each made when it is asked for, without its key."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, index: int) -> CellInfo: ...
    @overload
    def __getitem__(self, index: slice) -> list[CellInfo]: ...
    def __getitem__(self, index: int | slice) -> CellInfo | list[CellInfo]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        cells = self._cells
        varied = cells.varied(place) if isinstance(cells, Cells) else cells[place].varied
        return CellInfo(place, dict(varied))


def _notes(loaded: Loaded) -> tuple[str, ...]:
    """Results from time-compressed traces say so, and those of messages that were not compiled."""
    scales = {
        getattr(trace, "time_scale", 1.0)
        for cell in map(loaded.cells.__getitem__, loaded.sample())
        for trace in (cell.world.traffic.arrivals, *(f.schedule for f in cell.world.faults))
    }
    replayed = (
        f"A recorded trace is replayed {scale:g} times as fast as it was recorded."
        for scale in sorted(scales - {1.0})
    )
    python = plain_python(own_algorithms(loaded.data), loaded.scenario.world().data_plane)
    return (*replayed, *filter(None, [python]), *uncompiled([loaded.scenario.world()], "ran"))
