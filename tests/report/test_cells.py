"""Labels that hold only what tells cells apart."""

from __future__ import annotations

from hasim.report.cells import UNVARIED, heading, labels


def made(*varied):
    cells = list(enumerate(varied))
    return labels(cells), heading(cells)


def test_words_stand_for_themselves():
    cells = [
        {"balancing.algorithm": a, "detection.evidence": e}
        for a in ("round-robin", "geo")
        for e in (["probe"], ["probe", "messages"])
    ]
    assert made(*cells) == (
        [
            "round-robin, probe",
            "round-robin, probe+messages",
            "geo, probe",
            "geo, probe+messages",
        ],
        "algorithm, evidence",
    )


def test_what_all_share_is_left_out():
    assert made({"a.x": "one", "a.y": "u"}, {"a.x": "one", "a.y": "v"}) == (["u", "v"], "y")


def test_numbers_and_durations_are_named():
    assert made({"d.fall": 2, "d.interval": "5s"}, {"d.fall": 3, "d.interval": "30s"})[0] == [
        "fall=2, interval=5s",
        "fall=3, interval=30s",
    ]


def test_the_same_word_under_two_paths_is_named():
    assert made(
        {"x.a": "on", "x.b": "off"}, {"x.a": "off", "x.b": "off"}, {"x.a": "on", "x.b": "on"}
    )[0] == ["a=on, b=off", "a=off, b=off", "a=on, b=on"]


def test_paths_that_end_alike_are_written_in_full():
    cells = (
        {"masters.a.workers": 1, "masters.b.workers": 2},
        {"masters.a.workers": 3, "masters.b.workers": 4},
    )
    assert made(*cells)[0][0] == "masters.a.workers=1, masters.b.workers=2"


def test_mappings_booleans_and_nothing():
    assert made({"f.for": {"law": "exponential", "mean": "10m"}}, {"f.for": None})[0] == [
        "for=law=exponential mean=10m",
        "for=default",
    ]
    assert made({"a.b": True}, {"a.b": False})[0] == ["b=yes", "b=no"]
    assert made({"a.b": []}, {"a.b": ["x"]})[0] == ["b=none", "b=x"]


def test_single_cells():
    assert made({}) == ([UNVARIED], "scenario")
    assert made({"b.algorithm": "geo"}) == (["geo"], "algorithm")
    assert labels([]) == []


def test_labels_are_never_equal():
    assert len(set(made({"a.b": "1"}, {"a.b": 1})[0])) == 2


def test_points_name_only_what_they_set():
    assert made({}, {"b.algorithm": "geo"}, {"b.breaker": {}})[0] == [
        UNVARIED,
        "algorithm=geo",
        "breaker=on",
    ]
