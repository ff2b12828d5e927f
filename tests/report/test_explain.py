"""The story of an incident, from a journal written by hand."""

from __future__ import annotations

import json

import pytest

from hasim import events as e
from hasim import truth as t
from hasim.journal import Record
from hasim.model import Cause
from hasim.report.explain import explain
from hasim.report.forms.terminal import InTerminal, to_text
from hasim.units import SECOND

GOLDEN = """\
Incident 1: hang at a
   +0.000 s  10.000 s  truth      hang strikes a
   +0.000 s  10.000 s  truth      p1 is no longer served: hang
   +0.500 s  10.500 s  evidence   2 probes to a: never answered (until +1.000 s)
   +1.500 s  11.500 s  evidence   west reports 5 messages to a: no answer in time (until +1.800 s)
   +1.700 s  11.700 s  evidence   east reports 2 messages to a: no answer in time
   +1.900 s  11.900 s  detection  a is suspected (unreachable): 1 of 2 checks failed
   +1.900 s  11.900 s  monitor    alert 1 (master:a): warning
   +2.000 s  12.000 s  evidence   1 probe to a: never answered
   +2.500 s  12.500 s  detection  a is declared failed (unreachable): 2 of 2 checks failed
   +2.500 s  12.500 s  monitor    alert 1 (master:a): critical
   +2.500 s  12.500 s  failover   failover 1 of a for p1 declared: a failed
   +2.500 s  12.500 s  failover   failover 1 fences: power off a
   +2.500 s  12.500 s  order      power off a
   +4.000 s  14.000 s  truth      a is switched off
   +4.000 s  14.000 s  truth      p1 is still not served: power-off
   +4.500 s  14.500 s  answer     the fencing device confirms that a is off
   +4.500 s  14.500 s  failover   failover 1 looks for a backup: a is off
   +4.500 s  14.500 s  failover   failover 1 brings b up to date: lowest priority
   +4.500 s  14.500 s  order      transfer p1 to b
   +4.800 s  14.800 s  answer     b holds a torn copy
   +4.800 s  14.800 s  failover   failover 1 takes it back from b: p1: 50 of 100 bytes
   +4.800 s  14.800 s  order      b throws its copy away
   +5.000 s  15.000 s  failover   failover 1 looks for a backup
   +5.000 s  15.000 s  failover   failover 1 brings c up to date: next
   +5.000 s  15.000 s  order      transfer p1 to c
   +5.400 s  15.400 s  answer     c holds a whole copy
   +5.400 s  15.400 s  failover   failover 1 promotes c: whole
   +5.400 s  15.400 s  order      c becomes owner of p1 (epoch 2)
   +5.500 s  15.500 s  truth      3 acknowledged writes (12288 bytes) of p1 are lost, \
the oldest 250 ms old
   +5.600 s  15.600 s  answer     c confirms its promotion
   +5.600 s  15.600 s  failover   c owns p1 now (epoch 2)
   +5.600 s  15.600 s  failover   failover 1 redirects the traffic to c: confirmed
   +5.600 s  15.600 s  order      routing table 2 goes to the gateways
   +5.650 s  15.650 s  truth      p1 is served again, by c
   +5.700 s  15.700 s  routing    every gateway uses routing table 2
   +5.700 s  15.700 s  failover   failover 1 completed
   +5.900 s  15.900 s  truth      the first message to p1 is answered again
   +7.000 s  17.000 s  evidence   west reports 2 messages to a: no answer in time
  +10.000 s  20.000 s  truth      hang at a is cured
Detected after 2.50 s; service restored after 5.65 s."""


def shown(story, width):
    return to_text(InTerminal(story.paper()), width=width)


def test_golden(journal):
    assert str(explain(journal, 1)) == GOLDEN


def test_a_row_of_a_table_will_do(journal):
    row = {
        "number": 1,
        "cell": 2,
        "replication": 9,
        "master": "a",
        "kind": "hang",
        "started_at_s": 10.0,
        "cured_at_s": 20.0,
        "restored_at_s": float("nan"),  # as a DataFrame holds None
        "detection_s": 2.5,
    }
    lines = str(explain(journal, row)).splitlines()
    assert lines[0] == "Incident 1 of replication 9 of cell 2: hang at a"
    assert lines[1:-1] == GOLDEN.splitlines()[1:-1]
    assert lines[-1] == "Detected after 2.50 s."


def test_an_incident_that_is_not_there(journal):
    with pytest.raises(LookupError, match="no incident 2; the journal has 1"):
        explain(journal, 2)


def test_terminal_shows_the_same_words(journal):
    told = shown(explain(journal, 1), 200)
    assert told.split() == GOLDEN.split()
    narrow = shown(explain(journal, 1), 70)
    assert max(map(len, narrow.splitlines())) <= 70
    assert narrow.split() == GOLDEN.split()


def test_markup_in_names_is_text(journal):
    journal.add(16 * SECOND, "event", e.ServiceFailed("[bold]", "KeyError: '[/red]'"))
    journal.records.sort(key=lambda record: record.t_ns)
    assert "service [bold] raised an exception: KeyError: '[/red]'" in shown(
        explain(journal, 1), 200
    )


def test_an_undetected_incident_tells_so(journal):
    journal.records = [
        r
        for r in journal.records
        if not isinstance(r.body, e.StatusChanged | e.FailoverChanged)
        and not (isinstance(r.body, t.PartitionServed) and r.body.owner == "c")
    ]
    told = str(explain(journal, 1))
    assert "Never detected in the 10.0 s that it lasted" in told
    assert "service not restored in the 1 m 30 s to the end of the run" in told
    assert "fences" not in told
    assert "power off" not in told  # orders of failovers that are none of its own


def test_what_befalls_others_is_told_apart(journal):
    journal.add(13 * SECOND, "truth", t.FaultStarted(2, "crash", ("b",), True, "0.5"))
    journal.add(13 * SECOND, "truth", t.Writers("p1", ("a", "c")))
    journal.add(13 * SECOND, "truth", t.PartitionServed("p2", False, "b", "crash"))
    journal.add(13 * SECOND, "effect", e.SendProbe("a", 5))
    journal.add(13 * SECOND, "input", e.ProbeReply("a", 5, Cause.REFUSED))
    journal.records.sort(key=lambda record: record.t_ns)
    told = str(explain(journal, 1))
    assert "meanwhile, crash strikes b (0.5)" in told
    assert "SPLIT-BRAIN: a and c accept writes for p1" in told
    assert "1 probe to a: refused" in told
    assert "p2" not in told


def test_what_operators_do_meanwhile_is_told(journal):
    journal.records.append(Record(19 * SECOND, "input", e.DrainMaster("b")))
    journal.records.append(Record(19 * SECOND, "input", e.SwitchAlgorithm("geo")))
    journal.records.sort(key=lambda record: record.t_ns)
    told = str(explain(journal, 1))
    assert "operator   drains b" in told
    assert "operator   switches to geo" in told


def test_programs_get_times_as_numbers_and_markdown_a_table(journal):
    story = explain(journal, 1)
    data = json.loads(story.render("json"))
    assert (data["origin_s"], data["title"]) == (10.0, "Incident 1: hang at a")
    assert data["lines"][2] == {
        "since_s": 0.5,
        "at_s": 10.5,
        "who": "evidence",
        "what": "2 probes to a: never answered (until +1.000 s)",
    }
    assert story.render("csv").splitlines()[1] == "0.0,10.0,truth,hang strikes a"
    assert "| +0.000 s | 10.000 s | truth | hang strikes a |" in story.render("markdown")


def test_a_story_obeys_nobody(journal):
    journal.add(16 * SECOND, "event", e.ServiceFailed("x", "KeyError: '\x1b[2J'"))
    journal.records.sort(key=lambda record: record.t_ns)
    for form in ("table", "csv", "markdown", "html"):
        assert "\x1b" not in explain(journal, 1).render(form)


# -- why then, why not earlier, why never -------------------------------------------------


def story_of(**settings: object) -> str:
    """The story of a power-off from 20 s to 30 s, or of errors then, told by its own world."""
    from hasim.simulation.settings.faults import ErrorRate, PowerOff
    from tests.services.bench import detection
    from tests.simulation.worlds import after, lasting, run, traffic, world

    errors = settings.pop("errors", False)
    place = {"target": "m1", "at": after(20), "for_": lasting(10)}
    fault = (
        ErrorRate(kind="error-rate", rate=1.0, **place)
        if errors
        else PowerOff(kind="power-off", **place)
    )
    made = world(
        60,
        faults=(fault,),
        traffic=traffic(20, owned=0.0),
        detection=detection(interval_ns=2 * SECOND, **settings),
    )
    return str(explain(run(made), 1))


def test_a_declaration_tells_its_evidence_its_rule_and_why_not_earlier() -> None:
    text = " ".join(story_of(evidence=("probe",), fall=3).split())
    assert "failed check 3 in a row, 3 convict (fall)." in text
    assert "Why not earlier: the last check passed" in text
    assert "s before the start of the fault, the first sign against it came" in text
    assert "; to convict took" in text


def test_silence_tells_how_long_it_was_allowed() -> None:
    text = " ".join(story_of(evidence=("heartbeat",), detector="timeout", down_after="3s").split())
    assert "Why then: nothing heard for 3.000 s; 3.000 s are allowed." in text
    assert "silence was allowed until then" in text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"evidence": ("probe",), "errors": True},
            "checks passed while it lasted: what is wrong is nothing that they look at. ",
        ),
        (
            {"evidence": ("probe",), "errors": True},
            "; but messages are no evidence here (detection.evidence).",
        ),
        ({"evidence": ("probe",), "fall": 99}, "in a row; 99 convict."),
        (
            {"evidence": ("heartbeat",), "detector": "timeout", "down_after": "50s"},
            "nothing was due to be heard of it.",
        ),
        (
            {"evidence": ("heartbeat",), "detector": "timeout", "errors": True},
            "heartbeats were heard while it lasted",
        ),
        (
            {"evidence": ("probe", "messages"), "errors": True, "error_limit": 500},
            "it takes 1000 to convict (error_limit, in-row).",
        ),
    ],
)
def test_a_fault_that_was_never_declared_tells_why(settings, said: str) -> None:
    text = " ".join(story_of(**settings).split())
    assert "Never detected" in text
    assert said in f"{text} "
