"""The shipped scenarios, the template, and the JSON Schema of them all."""

import dataclasses
import functools
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from hasim.scenario import catalogue
from hasim.scenario.document import read_document
from hasim.scenario.loader import from_data, load
from hasim.scenario.problems import ScenarioError
from hasim.scenario.schema import Scenario, json_schema
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.registry import (
    CONFIRMATIONS,
    DETECTORS,
    DISTRUSTS,
    FLAPPINGS,
    SOURCES,
)
from hasim.services.failover.registry import FENCINGS
from hasim.services.gateway.presets import RETRIES
from hasim.services.gateway.settings import (
    FAILURES,
    ClientSettings,
    ConnectionSettings,
    HoldSettings,
    RetryLayer,
)
from hasim.services.leadership.registry import LEADERS
from hasim.settings import fields_by_user_name, settings_classes
from hasim.simulation.laws import Constant, Law
from hasim.simulation.settings import (
    NetworkSettings,
    RetrySettings,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.settings.faults import AnyFault
from hasim.simulation.settings.operations import AnyOperation
from hasim.simulation.settings.recordings import RecordedOutages, TableFile, TimedFile
from hasim.units import SECOND

SHIPPED = catalogue.shipped()
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_loads_and_keeps_the_schema(name: str) -> None:
    path = SHIPPED[name]
    study = load(path)
    assert study.scenario.name == name
    assert study.scenario.description
    assert len(study.cells) > 1
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert list(VALIDATOR.iter_errors(read_document(path).data)) == []
    for cell in study.cells:
        if name not in ("dns-failover", "gateway-crash"):  # whose clients are elsewhere
            assert cell.world.traffic.regions == ()
        study.recorded_of(cell)
    again = from_data(read_document(path).data, source=path)
    assert again.cells == study.cells


@functools.cache
def worlds() -> list[WorldSettings]:
    """Of all cells of all shipped scenarios."""
    return [cell.world for path in SHIPPED.values() for cell in load(path).cells]


def names_of(union: object, field: str) -> set[str]:
    """What the classes of a choice are called by in scenarios."""
    return {typing.get_args(typing.get_type_hints(cls)[field])[0] for cls in members(union)}


def test_there_is_a_scenario_for_every_kind_of_fault() -> None:
    kinds = {fault.kind for world in worlds() for fault in world.faults}
    assert kinds == names_of(AnyFault, "kind")


def test_there_is_a_scenario_for_every_operation() -> None:
    orders = {order.do for world in worlds() for order in world.operations}
    assert orders == names_of(AnyOperation, "do")


def test_there_is_a_scenario_for_every_rule_of_retries() -> None:
    """Each master that they may go to, each cause (chosen among others), and each preset."""
    layers = [world.traffic.retry for world in worlds()]
    layers += [layer.inner for layer in layers if layer.inner is not None]
    assert {layer.master for layer in layers} == set(
        typing.get_args(typing.get_type_hints(RetryLayer)["master"])
    )
    chosen = [layer.on for layer in layers if set(layer.on) != set(FAILURES)]
    assert {cause for causes in chosen for cause in causes} == set(FAILURES)
    documents = [read_document(path).data for path in SHIPPED.values()]
    named = {name for data in documents for name in presets_in(data, inside=False)}
    assert named == set(RETRIES.shipped)


def presets_in(part: Any, *, inside: bool) -> Iterator[str]:
    """The presets of retries that a document names; `inside`: it is what stands at `retry`."""
    if isinstance(part, dict):
        if inside and "preset" in part:
            yield part["preset"]
        for key, value in part.items():
            yield from presets_in(value, inside=key.rpartition(".")[2] == "retry")
    elif isinstance(part, list):
        for value in part:
            yield from presets_in(value, inside=inside)


def parts_of(part: object, found: dict[str, set[str]]) -> None:
    """Settings in settings: of each class, the fields that are not as they are by default."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list | tuple):
        for one in part:
            parts_of(one, found)
    elif dataclasses.is_dataclass(part):
        own = found.setdefault(type(part).__name__, set())
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            own |= {field.name} - ({field.name} if value == field.default else set())
            parts_of(value, found)


def test_all_that_a_world_may_have_is_in_a_shipped_scenario() -> None:
    """Laws, arrivals, every kind of recording, what clients do, the rhythms of faults."""
    found: dict[str, set[str]] = {}
    parts_of(worlds(), found)
    recordings = {
        cls
        for base in (TableFile, TimedFile, RecordedOutages)
        for cls in base.__subclasses__()
        if cls.__module__ == TableFile.__module__
    } - {TimedFile, RecordedOutages}
    assert len(recordings) == 6
    arrivals = members(typing.get_type_hints(TrafficSettings)["arrivals"])
    wanted = {*recordings, *typing.get_args(Law), *arrivals}
    assert {cls.__name__ for cls in wanted} <= set(found)
    assert {"count_", "bin_ns"} <= found["TraceArrivals"]
    for cls in (TrafficSettings, RetrySettings, ClientSettings, ConnectionSettings, HoldSettings):
        assert {field.name for field in dataclasses.fields(cls)} == found[cls.__name__], cls
    assert "keepers" in found["DnsSettings"]
    of_faults = set[str]().union(*(found[cls.__name__] for cls in members(AnyFault)))
    assert {"at", "every", "schedule", "for_", "from_", "common"} <= of_faults
    assert {"ColdSettings", "BurstSettings", "TierSettings"} <= set(found)
    assert {"health", "health_work", "health_asks"} <= found["MasterSettings"]


def members(union: object) -> tuple[type, ...]:
    """The classes of a choice, annotated or not."""
    return typing.get_args(typing.get_args(union)[0]) or typing.get_args(union)


def test_quickstart_is_eight_cells_of_five_regions() -> None:
    study = load(SHIPPED["quickstart"])
    world = study.cells[0].world
    assert len(study.cells) == 8
    assert len({m.region for m in world.masters}) == 5
    assert world.observer.region not in {m.region for m in world.masters}
    assert [f.kind for f in world.faults] == ["crash", "hang", "power-off"]
    assert (study.scenario.replications, world.traffic.retry.attempts) == (50, 2)


def test_promises_differ_only_in_their_evidence() -> None:
    kept, polling = (load(SHIPPED[n]) for n in ("promises", "promises-polling-only"))
    assert kept.scenario.detection.evidence == (ProbeSettings(), MessageSettings())
    assert polling.scenario.detection.evidence == (ProbeSettings(),)
    assert from_data(
        {**polling.data, "detection": {}, "name": "promises"}, source=kept.source
    ).cells == kept.cells  # fmt: skip
    assert kept.scenario.expect == polling.scenario.expect
    bounds = {e.measure: e.bound for e in kept.scenario.expect}
    assert bounds == {
        "detection_time.p99": 5.0,
        "failover_time.p99": 10.0,
        "uptime.renewal_reward": 0.9999,
    }
    assert kept.scenario.fencing_device.latency == Constant(mean_ns=2 * SECOND)


def test_find() -> None:
    assert catalogue.find("quickstart") == SHIPPED["quickstart"]
    assert catalogue.find(str(SHIPPED["crash"])) == SHIPPED["crash"]
    with pytest.raises(ScenarioError, match=r"no scenario of this name; did you mean quickstart\?"):
        catalogue.find("quikstart")
    with pytest.raises(ScenarioError, match="of this name; there are: advise, backup-dies,"):
        catalogue.find("zzz")


def test_find_a_misspelt_file(tmp_path) -> None:
    (tmp_path / "mine.yaml").write_text("")
    with pytest.raises(ScenarioError, match=r"no such file; did you mean mine\.yaml"):
        catalogue.find(tmp_path / "mien.yaml")
    with pytest.raises(ScenarioError, match=r"no such file$"):
        catalogue.find(tmp_path / "nowhere" / "mine.yaml")


@pytest.mark.parametrize("name", ["mine", "no", "1e3", "2024-01-01", "a.b-c_d"])
def test_the_template_is_a_valid_scenario(name: str, tmp_path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(catalogue.template(name), encoding="utf-8")
    study = load(path)
    assert study.scenario.name == name
    assert len(study.cells) == 2
    assert VALIDATOR.is_valid(read_document(path).data)
    # The lines that are commented out are valid, too.
    text = path.read_text().replace("# expect:", "expect:").replace("#   ", "  ")
    path.write_text(text)
    assert len(load(path).scenario.expect) == 2


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-x", 'x"'])
def test_no_template_of_a_bad_name(name: str) -> None:
    with pytest.raises(ScenarioError, match="expected a name of letters"):
        catalogue.template(name)


def test_looking_for_scenarios_loads_little() -> None:
    code = (
        "import sys; from hasim.scenario import catalogue; catalogue.find('quickstart'); "
        "catalogue.template('x'); "
        "print([m for m in ('numpy', 'pandas', 'pydantic', 'ruamel.yaml') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# -- the schema --------------------------------------------------------------


def test_the_schema_is_a_schema_that_explains_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    silent = [
        f"{title}.{name}"
        for title, definition in [("", SCHEMA), *SCHEMA["$defs"].items()]
        for name, entry in definition["properties"].items()
        if "description" not in entry and name not in ("law", "kind")
    ]
    assert silent == []


def test_defaults_in_the_schema_are_what_users_write() -> None:
    definitions = SCHEMA["$defs"]
    assert definitions["DetectionSettings"]["properties"]["interval"]["default"] == "30s"
    assert definitions["NetworkSettings"]["properties"]["bandwidth"]["default"] == "200MiB/s"
    assert definitions["Crash"]["properties"]["for"]["default"] == {"law": "constant", "mean": "3m"}
    assert SCHEMA["properties"]["expect"]["default"] == {}
    for definition in [SCHEMA, *definitions.values()]:
        for name, entry in definition["properties"].items():
            if "default" in entry:
                own = {**SCHEMA, **definition} if definition is not SCHEMA else SCHEMA
                part = {"$defs": definitions, **own["properties"][name]}
                assert jsonschema.Draft202012Validator(part).is_valid(entry["default"]), name


@pytest.mark.parametrize(
    "change",
    [
        {"horizon": 300},
        {"horizn": "5m"},
        {"masters": [{"id": "a", "workers": 0}]},
        {"masters": [{"id": "a", "lik": "b"}]},
        {"faults": [{"kind": "crsh"}]},
        {"expect": {"uptme": ">= 99%"}},
        {"expect": {"uptime": "99%"}},
        {"network": {"loss": 0.001}},
        {"balancing": {"algorithm": "fastest"}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(change) -> None:
    data = {"masters": [{"id": "a"}, {"id": "b", "like": "a"}], "horizon": "5m"}
    assert VALIDATOR.is_valid(data)
    from_data(data)
    assert not VALIDATOR.is_valid({**data, **change})
    with pytest.raises(ScenarioError):
        from_data({**data, **change})


def test_the_schema_covers_every_settings_class() -> None:
    """Each is a definition, but for parts that are chosen by name, which stand in their places."""
    inner = (SOURCES, DETECTORS, CONFIRMATIONS, FLAPPINGS, DISTRUSTS)
    parts = {cls for registry in inner for cls in registry.settings().values()}
    others = {cls for registry in (FENCINGS, LEADERS) for cls in registry.settings().values()}
    classes = {cls.__name__ for cls in settings_classes(Scenario) if cls not in parts | others}
    assert classes - {"Scenario"} == set(SCHEMA["$defs"])
    assert NetworkSettings.__name__ in classes
    detection = SCHEMA["$defs"]["DetectionSettings"]["properties"]
    beside = {name for cls in parts for name in fields_by_user_name(cls)}
    chosen = {"evidence", "detector", "confirm", "flapping", "distrust", "preset"}
    assert set(detection) == chosen | beside
