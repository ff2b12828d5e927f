"""The forty-six defects of the list in results/hunting.md, each with the one that stands for it.

`tests` are where a test must fail with the defect in place, if `--check` does not see it.
"""

from __future__ import annotations

from typing import NamedTuple


class Listed(NamedTuple):
    """A defect of the list: of which part, what it is, and its name in `DEFECTS`."""

    part: str
    what: str
    name: str
    tests: str = ""


FAILOVER, DETECTION = "tests/services/failover", "tests/services/detection"
MONITORING, ROUTING = "tests/services/monitoring", "tests/services/routing"
GATEWAY = "tests/services/gateway"
LIST = (
    Listed("fencing", "nothing is fenced", "nothing is fenced", FAILOVER),
    Listed("fencing", "one order more than attempts", "one fencing order too many", FAILOVER),
    Listed("fencing", "no retry after giving up", "giving up is for ever", FAILOVER),
    Listed(
        *("fencing", "no failover after a late confirmation"),
        *("a late confirmation is not believed", FAILOVER),
    ),
    Listed("transfer", "fewer bytes accepted", "fewer bytes are accepted", FAILOVER),
    Listed("transfer", "checksum not compared", "the checksum is not compared", FAILOVER),
    Listed("transfer", "a missing partition ignored", "a missing partition is ignored", FAILOVER),
    Listed(
        *("transfer", "a result for another candidate is taken"),
        *("a late answer is believed", FAILOVER),
    ),
    Listed(
        "transfer", "sources include the failed owner", "the failed owner is read from", FAILOVER
    ),
    Listed(
        "selection", "failed candidates are promoted", "failed candidates are promoted", FAILOVER
    ),
    Listed("selection", "suspect candidates are promoted", "suspects are promoted", FAILOVER),
    Listed(
        *("selection", "the same candidate is tried again"),
        *("the same candidate is tried again", FAILOVER),
    ),
    Listed("promotion", "ordered twice", "a promotion is ordered twice", FAILOVER),
    Listed("promotion", "epoch not raised", "the epoch is not raised", FAILOVER),
    Listed(
        "promotion", "an answer to an earlier order is taken", "a late answer is believed", FAILOVER
    ),
    Listed(
        *("promotion", "a broken connection counts as a refusal"),
        *("a broken connection counts as a refusal", FAILOVER),
    ),
    Listed(
        *("roll-back", "a candidate that fails is not left"),
        *("a candidate that fails is not left", FAILOVER),
    ),
    Listed("lifecycle", "audit time runs back", "audit time runs back", FAILOVER),
    Listed("lifecycle", "waiting has no deadline", "waiting has no deadline", FAILOVER),
    Listed("return", "the returned owner is not demoted", "a demotion is forgotten", FAILOVER),
    Listed("return", "is told once only", "a demotion is told once only", FAILOVER),
    Listed(
        *("return", "counts as recovered though it owns nothing"),
        *("who owns nothing any more counts as recovered", FAILOVER),
    ),
    Listed("restore", "epochs are lost", "restore loses epochs", FAILOVER),
    Listed("detection", "fall off by one", "fall is off by one", DETECTION),
    Listed("detection", "failed run not reset", "the failed run is not reset", DETECTION),
    Listed("detection", "passed run not reset", "the passed run is not reset", DETECTION),
    Listed(
        *("detection", "doubt does not interrupt the passed run"),
        *("doubt does not interrupt the passed run", DETECTION),
    ),
    Listed(
        "detection", "a late probe reply is accepted", "a late probe reply is accepted", DETECTION
    ),
    Listed("detection", "absent masters are probed", "absent masters are probed", DETECTION),
    Listed(
        *("detection", "messages acquit a failed master"),
        *("messages acquit a failed master", DETECTION),
    ),
    Listed("detection", "an overtaken report counts", "an overtaken report counts", DETECTION),
    Listed("detection", "excused runs are forgotten", "excused runs are forgotten", DETECTION),
    Listed(
        *("detection", "a recovering master fails quietly"),
        *("a recovering master fails quietly", DETECTION),
    ),
    Listed("alerts", "never resolved", "alerts are never resolved", MONITORING),
    Listed("alerts", "hold ignored", "the hold of alerts is ignored", MONITORING),
    Listed(
        *("alerts", "fired again keeps its clear time"),
        *("an alert that fires again keeps its clear time", MONITORING),
    ),
    Listed(
        "routing", "an old acknowledgement converges", "an old acknowledgement converges", ROUTING
    ),
    Listed("routing", "never sent again", "routing is never sent again", ROUTING),
    Listed("routing", "a failed master stays routed", "a failed master stays routed", ROUTING),
    Listed(
        "routing", "a recovering master stays routed", "a recovering master stays routed", ROUTING
    ),
    Listed("gateway", "retry budget leaks", "the retry budget leaks", GATEWAY),
    Listed("gateway", "in-flight leaks when cancelled", "in flight leaks when cancelled", GATEWAY),
    Listed("gateway", "in-flight leaks in the fleet", "in flight leaks in the fleet", GATEWAY),
    Listed(
        *("gateway", "owned messages go to an ineligible owner"),
        *("owned messages go to an ineligible owner", GATEWAY),
    ),
    Listed("gateway", "retries go to the same master", "a retry goes to the same master", GATEWAY),
    Listed("gateway", "strict choice ignored", "a hedge goes to the same master", GATEWAY),
)
ASKED = (
    *("nothing is fenced", "a torn transfer is accepted", "a late answer is believed"),
    *("the epoch is not raised", "a promotion is ordered twice", "restore loses epochs"),
    *("a demotion is forgotten", "suspects are promoted"),
    *("a timer is lost when it is set again", "in flight leaks when cancelled"),
    *("alerts are never resolved", "ejection goes beyond its cap", "the limit of lag is ignored"),
    *("failback goes to a sick master", "a returning owner is powered off"),
    *("a restarted gateway is not told", "a foreign answer is believed"),
    *("a retry goes to the same master", "a failed master stays routed", "audit time runs back"),
)
"""Twenty that a hunt finds within two minutes, and shrinks to three faults at most."""
NOT_LISTED = {
    "ejection goes beyond its cap": GATEWAY,
    "in flight leaks after failures": GATEWAY,
    "a restarted gateway is not told": ROUTING,
}
"""Where tests of defects that are not on the list stand; those of all others: failover."""


def folders_of(name: str) -> list[str]:
    """Where a test must fail with a defect in place, if a hunt does not find it."""
    listed = {one.tests for one in LIST if one.name == name}
    return sorted(listed or {NOT_LISTED.get(name, FAILOVER)})
