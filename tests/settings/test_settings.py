"""Settings: text to objects and back, choices, single values, messages, JSON Schema."""

import dataclasses
import json
import subprocess
import sys
import typing
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.services.failover.settings import FailoverSettings
from hasim.settings import (
    Choice,
    Name,
    Setting,
    duration,
    field_hint,
    fields_by_user_name,
    from_plain,
    meaning_of,
    members_of,
    plain,
    setting_of,
    settings,
    settings_classes,
    share,
)
from hasim.settings.parts import Part
from hasim.settings.validation import SettingsError, adapter
from hasim.simulation.laws import Constant, DurationLaw, Exponential, Lognormal, Uniform
from hasim.simulation.settings import (
    FixedRtt,
    MasterSettings,
    MatrixTrace,
    NetworkSettings,
    PoissonArrivals,
    TraceArrivals,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.settings.faults import AnyFault, Crash, Fault, Hang
from hasim.simulation.settings.recordings import DATES, ColumnName, DateFormat
from hasim.simulation.settings.warm_up import RULES, WarmUpRule
from hasim.units import MINUTE, SECOND

WHOLE_NS = 2**40


@settings
class Small:
    """Each kind of field once."""

    wait_ns: Annotated[int, duration("How long to wait.", above=0, source="a paper")]
    part: Annotated[float, share("A part.")] = 0.5
    words: tuple[str, ...] = ()
    """Some
    words."""
    law: DurationLaw = Constant(mean_ns=SECOND)
    limit_ns: Annotated[int | None, duration("At most, if any.")] = None
    flag: bool = False
    kind: Literal["one", "two"] = "one"


# -- strategies from the settings themselves ---------------------------------


def numbers(setting: Setting) -> st.SearchStrategy[Any]:
    """Every value that a setting allows."""
    exclusive = setting.above is not None
    low = setting.above if setting.above is not None else setting.least
    if setting.kind in ("duration", "size", "bandwidth", "count"):
        return st.integers(int(low) + exclusive, int(setting.most or WHOLE_NS))
    high = setting.most if setting.most is not None else 1e9
    return st.floats(low, high, exclude_min=exclusive, allow_subnormal=False)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Every value of a type that settings use."""
    marks = getattr(hint, "__metadata__", ())
    for mark in marks:
        if isinstance(mark, Setting):
            return st.none() | numbers(mark) if optional(hint) else numbers(mark)
        if isinstance(mark, Name):
            return st.sampled_from(mark.names())
        if isinstance(mark, Part):
            return st.one_of([objects(cls) for cls in mark.classes().values()])
        if isinstance(mark, WarmUpRule):
            return st.sampled_from(RULES) | st.integers(1, WHOLE_NS)
        if isinstance(mark, ColumnName):
            named = st.text(min_size=1, max_size=8) | st.integers(1, 99)
            return st.none() | named if mark.optional else named
        if isinstance(mark, DateFormat):
            return st.sampled_from(("", *DATES, "%d.%m.%Y %H:%M"))
    if marks:
        return values(hint.__origin__)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return objects(hint)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(max_size=5), values(args[1]), max_size=2)
    if args:
        return st.one_of([values(arg) for arg in args])
    return {str: st.text(max_size=8), bool: st.booleans(), type(None): st.none()}[hint]


def optional(hint: Any) -> bool:
    """Whether a type allows None as well."""
    return type(None) in typing.get_args(hint.__origin__)


def objects(cls: type[Any]) -> st.SearchStrategy[Any]:
    fields = {f.name: values(field_hint(cls, f.name)) for f in dataclasses.fields(cls)}
    if cls is DetectionSettings:
        fields["evidence"] = fields["evidence"].filter(
            lambda evidence: not evidence or any(source.ACQUITS for source in evidence)
        )
    return st.builds(cls, **fields)


# -- round trip --------------------------------------------------------------


@given(objects(WorldSettings))
def test_every_world_reads_back_from_its_plain_data(world: WorldSettings) -> None:
    data = json.loads(json.dumps(plain(world)))
    assert from_plain(WorldSettings, data) == world


@given(objects(WorldSettings))
def test_plain_data_keeps_the_json_schema(world: WorldSettings) -> None:
    assert list(WORLD_VALIDATOR.iter_errors(plain(world))) == []


WORLD_VALIDATOR = jsonschema.Draft202012Validator(adapter(WorldSettings).json_schema())


def test_plain_data_is_what_users_write() -> None:
    assert plain(DetectionSettings())["interval"] == "30s"
    fencing = {"fencing": "confirmed", "timeout": "5s", "attempts": 10, "backoff": "1s"}
    assert plain(FailoverSettings()).items() >= fencing.items()
    assert plain(Small(wait_ns=90 * SECOND)) == {
        "wait": "1m30s",
        "part": "50%",
        "words": [],
        "law": {"law": "constant", "mean": "1s"},
        "limit": None,
        "flag": False,
        "kind": "one",
    }


# -- single values and choices -----------------------------------------------


def test_a_single_value_is_a_list_of_one() -> None:
    assert from_plain(DetectionSettings, {"evidence": "probe"}).evidence == (ProbeSettings(),)
    one = from_plain(Small, {"wait": "1s", "words": "x"})
    assert one.words == ("x",)


def fault(**data: Any) -> Any:
    world = {"masters": {"id": "a"}, "horizon": "1h", "faults": [data]}
    return from_plain(WorldSettings, world).faults[0]


def test_fault_times_in_every_form() -> None:
    assert fault(kind="crash", at="12m").at == (Constant(mean_ns=12 * MINUTE),)
    window = {"law": "uniform", "low": "30s", "high": "60s"}
    assert fault(kind="hang", at=["1m", window], **{"for": "3m"}) == Hang(
        kind="hang",
        at=(Constant(mean_ns=MINUTE), Uniform(low_ns=30 * SECOND, high_ns=60 * SECOND)),
        for_=Constant(mean_ns=3 * MINUTE),
    )
    assert fault(kind="crash", at=window).at == (Uniform(low_ns=30 * SECOND, high_ns=MINUTE),)
    every = fault(kind="crash", every={"law": "exponential", "mean": "6h"}).every
    assert every == Exponential(mean_ns=360 * MINUTE)
    assert fault(kind="crash", target="a").target == "a"
    assert fault(kind="crash", target=["a", "b"]).target == ("a", "b")
    filtered = fault(kind="crash", schedule={"trace": "x.csv", "where": {"class": "U"}})
    assert filtered.schedule.where == {"class": ("U",)}


def test_round_trip_time_in_every_form() -> None:
    def rtt(value: Any) -> Any:
        return from_plain(NetworkSettings, {"rtt": value}).rtt

    assert rtt("10ms") == FixedRtt(rtt_ns=10_000_000)
    assert rtt({"rtt": "10ms"}) == FixedRtt(rtt_ns=10_000_000)
    assert rtt({"matrix": "m.csv"}) == MatrixTrace(matrix="m.csv")


def test_a_required_field_tells_members_apart() -> None:
    def arrivals(value: Any) -> Any:
        return from_plain(TrafficSettings, {"arrivals": value}).arrivals

    assert arrivals({"rate": "5/s"}) == PoissonArrivals(rate_per_s=5.0)
    assert arrivals({"trace": "x", "column": "t"}) == TraceArrivals(trace="x", column="t")
    assert fault(kind="crash", at={"low": "1s", "high": "2s"}).at[0].law == "uniform"


def test_objects_are_taken_as_they_are() -> None:
    master = MasterSettings(id="a", service=Lognormal(mean_ns=SECOND))
    world = from_plain(WorldSettings, {"masters": [master], "horizon": "1h"})
    assert world.masters == (master,)


# -- messages ----------------------------------------------------------------


def problems(cls: type[Any], data: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        from_plain(cls, data)
    return dict(line.split(": ", 1) for line in str(caught.value).splitlines())


def test_every_problem_is_told_with_its_place() -> None:
    data = {"part": "150%", "wrds": [], "law": {"law": "unifrom"}, "flag": 7, "kind": "tow"}
    assert problems(Small, data) == {
        "wait": "is required and missing",
        "part": "must be at most 100%, got 150%",
        "wrds": "unknown key; did you mean words?",
        "law.law": "unknown law 'unifrom'; did you mean uniform? "
        "(possible: constant, uniform, exponential, lognormal, weibull)",
        "flag": "expected true or false, got 7",
        "kind": "unknown value 'tow'; did you mean two?",
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0s", "must be greater than 0s, got 0s"),
        ("-3s", "must not be negative, got '-3s'"),
        (30, "expected a duration such as 30s, got 30"),
        (None, "expected a duration such as 30s, got nothing"),
        ("5 parsecs", "expected a duration such as 250ms, 30s or 1h30m"),
        ("1e200s", "too large: '1e200s'"),
    ],
)
def test_bad_durations(value: Any, message: str) -> None:
    assert problems(Small, {"wait": value})["wait"].startswith(message)


@pytest.mark.parametrize("value", [True, 2.5, float("inf"), float("nan"), "3", None, [3]])
def test_bad_counts(value: Any) -> None:
    message = problems(MasterSettings, {"id": "a", "workers": value})["workers"]
    got = "nothing" if value is None else repr(value)
    assert message == f"expected a whole number such as 3, got {got}"


@pytest.mark.parametrize("value", [1e300, 2**63, -(10**400)])
def test_numbers_of_more_than_64_bits(value: Any) -> None:
    message = problems(MasterSettings, {"id": "a", "workers": value})["workers"]
    assert message == f"too large: {value}"


@pytest.mark.parametrize("value", [True, 0.5, "0.5", "50", [], None])
def test_bad_shares(value: Any) -> None:
    assert problems(Small, {"wait": "1s", "part": value})["part"].startswith(
        "expected a percentage such as 99.9%, got"
    )


def test_zero_and_one_are_shares() -> None:
    assert [from_plain(Small, {"wait": "1s", "part": p}).part for p in (0, 1)] == [0.0, 1.0]


def test_choices_say_what_is_possible() -> None:
    world = {"masters": {"id": "a"}, "horizon": "1h"}
    assert problems(WorldSettings, {**world, "faults": {"kind": "crsh", "at": "1m"}}) == {
        "faults.kind": "unknown kind 'crsh'; did you mean crash? (possible: crash, power-off, hang,"
        " slow, added-delay, error-rate, disk-stall, deadlock, lying-health,"
        " replication-lag, partition,"
        " region-outage, backup-dies, transfer-failure, packet-loss, latency-spike, link, stall,"
        " link-stall, observer-stall, gateway-crash, observer-crash, observer-hang,"
        " observer-partition, observer-slow, lost-answers, doubled-answers)"
    }
    assert problems(NetworkSettings, {"rtt": 5}) == {
        "rtt": "expected a duration such as 30s, got 5, or {rtt: ...} or {matrix: ...}"
    }
    assert problems(TrafficSettings, {"arrivals": "5/s"}) == {
        "arrivals": "expected a mapping with law: poisson | constant | curve, or {trace: ..., "
        "column: ...}, got '5/s'"
    }
    assert problems(Small, {"wait": "1s", "law": {"mean": "3m"}}) == {
        "law": "say which: law: constant | uniform | exponential | lognormal | weibull"
    }
    assert problems(Small, {"wait": "1s", "law": {"law": "uniform", "low": "1s"}}) == {
        "law.high": "is required and missing"
    }
    assert problems(NetworkSettings, {"jitter": {"law": "lognormal", "cvv": 1}}) == {
        "jitter.cvv": "unknown key; did you mean cv?"
    }


def test_one_message_for_a_value_of_several_types() -> None:
    assert problems(Crash, {"kind": "crash", "target": 5}) == {"target": "expected text, got 5"}


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["masters", "id", "horizon", "faults", "kind", "at", "for", "law", "rtt",
                         "network", "target", "schedule", "where", "trace", "x"]),
        inner, max_size=4)
)))  # fmt: skip
def test_no_data_breaks_validation(data: Any) -> None:
    try:
        world = from_plain(WorldSettings, data)
    except SettingsError as error:
        text = str(error)
        assert text
        assert "<" not in text.split(": ", maxsplit=1)[0]  # no label of a union member
        for jargon in ("Input should", "pydantic", "dataclass", "function-"):
            assert jargon not in text
    else:
        assert isinstance(world, WorldSettings)


# -- introspection -----------------------------------------------------------


def test_every_setting_of_the_world_says_what_it_means() -> None:
    classes = settings_classes(WorldSettings)
    assert {Crash, Hang, Lognormal, DetectionSettings, MatrixTrace} <= set(classes)
    silent = [
        f"{cls.__name__}.{f.name}"
        for cls in classes
        for f in dataclasses.fields(cls)
        if not meaning_of(cls, f.name) and f.name not in ("law", "kind")
    ]
    assert silent == []


def test_meaning_is_inherited_and_on_one_line() -> None:
    assert meaning_of(Small, "words") == "Some words."
    assert meaning_of(Small, "wait_ns") == "How long to wait. Source: a paper."
    assert meaning_of(Crash, "target") == meaning_of(Fault, "target") != ""


def test_members_of_a_type() -> None:
    assert Crash in members_of(AnyFault)
    assert members_of(int) == ()
    assert members_of(DurationLaw)[0] is Constant


def test_names_for_users() -> None:
    names = {"target", "at", "every", "schedule", "for", "from", "common"}
    assert set(fields_by_user_name(Fault)) == names
    assert setting_of(Small, "limit_ns").kind == "duration"
    assert setting_of(Small, "words") is None


def test_json_schema_says_what_validation_says() -> None:
    validator = jsonschema.Draft202012Validator(adapter(Small).json_schema())
    good: list[dict[str, Any]] = [
        {"wait": "3s"},
        {"wait": "1h30m", "words": "x", "law": "5s", "part": 0},
        {"wait": "3s", "words": ["x"], "law": {"law": "exponential", "mean": "1s"}},
    ]
    bad: list[dict[str, Any]] = [
        {},
        {"wait": 3},
        {"wait": "3"},
        {"wait": "3s", "part": 0.5},
        {"wait": "3s", "law": {"law": "unifrom"}},
        {"wait": "3s", "law": {"mean": "3m", "x": 1}},
        {"wait": "3s", "kind": "three"},
        {"wait": "3s", "more": 1},
    ]
    for data in good:
        assert validator.is_valid(data)
        from_plain(Small, data)
    for data in bad:
        assert not validator.is_valid(data)
        problems(Small, data)


def test_settings_load_no_pydantic_until_validation() -> None:
    code = (
        "import sys; from hasim.services.detection.settings import DetectionSettings; "
        "from hasim.settings import plain; plain(DetectionSettings()); "
        "print('pydantic' in sys.modules, 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_a_choice_without_a_text_form_needs_a_mapping() -> None:
    @settings
    class Holder:
        what: Annotated[Crash | Hang, Choice(tag="kind")]

    assert problems(Holder, {"what": "crash"}) == {
        "what": "expected {kind: crash} or {kind: hang}, got 'crash'"
    }


def test_what_is_wrong_with_a_part_that_was_added_is_said_where_it_was_written() -> None:
    """Messages alone acquit nobody: a probe is added, which has the interval that stands there."""
    with pytest.raises(SettingsError, match="interval: must be greater than 0s"):
        from_plain(DetectionSettings, {"evidence": ["messages"], "interval": "0s"})
