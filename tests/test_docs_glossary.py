"""The glossary has every word that the program says: statuses, causes, states, verdicts."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

from hasim.findings.budget_words import CAUSES as IN_A_BUDGET
from hasim.findings.gate_sheets import MOODS
from hasim.measures.catalogue import MEASURES
from hasim.measures.causes import CAUSES
from hasim.model import Cause, Diagnosis, Severity, Status
from hasim.report.timeline import KINDS
from hasim.services.failover.lifecycle import LIFECYCLE

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "guides" / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^(?!#)(\S.*)\n: ", TEXT, re.MULTILINE)
WORDS = {part for term in TERMS for part in (term, *term.split(", "))}
VOCABULARY = (
    "attempt balancing cell censored client cure detection detector diagnosis driver effect "
    "eligible event evidence expectation failback failover fault fencing finding gateway "
    "heartbeat horizon impairing incarnation incident input invariant journal lag lease master "
    "measure message mistake monitor observer operator orchestrator outage owner paired "
    "partition place probe region replication routing scenario seed standby study suspicion "
    "switchover term tier token transfer truth uptime watch witness RPO RTO sans-IO baseline "
    "budget panic needless"
)
"""The words of the design."""


def test_every_word_that_the_program_says_is_explained() -> None:
    said = {
        "status": map(str, Status),
        "cause": [*map(str, Cause), "in_flight"],
        "diagnosis": map(str, Diagnosis),
        "severity": map(str, Severity),
        "state of a failover": filter(None, LIFECYCLE),
        "what downtime is made of": CAUSES,
        "how detection ended": ["detected", "late", "censored", "already declared", "maintenance"],
        "verdict of a gate": {"regression", "inconclusive", "pass"} & set(MOODS),
        "verdict of a comparison": ["better", "worse", "same", "undecided"],
        "in a timeline": set(KINDS) - {"unserved"},
        "vocabulary": VOCABULARY.split(),
    }
    missing = {kind: [word for word in words if word not in WORDS] for kind, words in said.items()}
    assert {kind: words for kind, words in missing.items() if words} == {}


def test_what_a_budget_calls_its_causes_is_said_there() -> None:
    assert [name for name in IN_A_BUDGET.values() if f"({name})" not in TEXT] == []


def test_who_speaks_in_a_story_is_told() -> None:
    speakers = set()
    for path in (DOCS.parent / "hasim" / "report").glob("*.py"):
        found = re.findall(r'Line\([^"()]*?t_ns, "([a-z]+)"', path.read_text(encoding="utf-8"))
        speakers |= set(found)
    assert {"truth", "evidence", "failover"} < speakers
    assert [who for who in speakers if f"*{who}*" not in TEXT] == []


def test_words_stand_in_their_order_and_once() -> None:
    assert len(TERMS) == len(set(TERMS))
    assert len(TERMS) > 100
    for section in TEXT.split("\n## ")[1:4]:
        names = [name.lower() for name in re.findall(r"^(\S.*)\n: ", section, re.MULTILINE)]
        assert [(a, b) for a, b in itertools.pairwise(names) if a > b] == []


def test_measures_are_explained_in_a_line_each() -> None:
    sys.path.insert(0, str(DOCS))
    import pages

    lines = list(pages.measure_words())
    assert [line.strip("`") for line in lines if line.startswith("`")] == list(MEASURES)
    assert all(line.startswith((": ", "`")) or not line for line in lines)
