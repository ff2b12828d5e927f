"""Compiled: the rules of an attempt's life, the very same functions as the dispatcher's."""

from __future__ import annotations

from hasim.services import watch
from hasim.services.gateway import budget, load, pace, retrying, rules
from hasim.simulation.clients.compiled.jit import inlined

deposit = inlined(budget.deposit)
allows = inlined(budget.allows)
withdraw = inlined(budget.withdraw)
release_token = inlined(budget.release)
smoothed = inlined(load.smoothed)
holds = inlined(watch.holds)
is_news = inlined(watch.is_news)
is_end = inlined(watch.is_end)
is_rare = inlined(watch.is_rare)
note_pace = inlined(pace.note_latency)
follows = inlined(retrying.follows)
stays = inlined(retrying.stays)
starts_at = inlined(retrying.starts_at)
still_waits = inlined(rules.still_waits)
hedge_after = inlined(rules.hedge_after)
may_join = inlined(rules.may_join)
looks_at = inlined(rules.looks_at)
is_passed_over = inlined(rules.is_passed_over)
