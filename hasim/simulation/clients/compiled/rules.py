"""Compiled: the rules of an attempt's life, the very same functions as the dispatcher's."""

from __future__ import annotations

from hasim.services.gateway import budget, load, pace, rules
from hasim.simulation.clients.compiled.jit import inlined

deposit = inlined(budget.deposit)
allows = inlined(budget.allows)
withdraw = inlined(budget.withdraw)
release_token = inlined(budget.release)
smoothed = inlined(load.smoothed)
is_news = inlined(load.is_news)
is_end = inlined(load.is_end)
note_pace = inlined(pace.note_latency)
retry_at = inlined(rules.retry_at)
still_waits = inlined(rules.still_waits)
hedge_after = inlined(rules.hedge_after)
may_join = inlined(rules.may_join)
looks_at = inlined(rules.looks_at)
is_passed_over = inlined(rules.is_passed_over)
