"""Who owns what, against a plain dictionary that is searched through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hasim.services.failover.owners import Owners

PARTITIONS, MASTERS = ("p3", "p1", "p2"), ("a", "b", "c")


@given(st.lists(st.tuples(st.sampled_from(PARTITIONS), st.sampled_from(MASTERS))))
def test_owners_by_master_are_those_by_partition(changes) -> None:
    plain = dict(zip(PARTITIONS, MASTERS, strict=True))
    owners = Owners(plain)
    for partition, master in changes:
        owners.change(partition, master)
        plain[partition] = master
    assert owners.by_partition == plain
    for master in MASTERS:
        assert owners.owned(master) == tuple(p for p in PARTITIONS if plain[p] == master)
        assert owners.counts().get(master, 0) == list(plain.values()).count(master)
