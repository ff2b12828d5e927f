"""Presets of retries: what real systems do after a failed attempt, unless told otherwise."""

from __future__ import annotations

from hasim.settings.presets import Preset
from hasim.settings.registry import Named

_HAPROXY = "https://docs.haproxy.org/2.6/configuration.html#4.2-retries (retry-on conn-failure)"

HAPROXY = Preset(
    about="HAProxy: three retries, each a second (timeout connect, if that is less) after the "
    "last and at the same server, also when that is marked down; only of connections that failed.",
    source=_HAPROXY,
    settings={
        **{"attempts": 4, "on": ["refused", "connect_timeout"], "master": "pinned"},
        **{"backoff": "1s", "growth": 1, "jitter": "0%"},
    },
)
HAPROXY_REDISPATCH = Preset(
    about="HAProxy with option redispatch, round robin and no cookie: three retries, each at once "
    "at another server.",
    source=f"{_HAPROXY}; https://github.com/haproxy/haproxy/blob/v2.6.0/src/stream.c "
    "(stream_choose_redispatch), backend.c (back_handle_st_cer)",
    settings={**HAPROXY.settings, "master": "another", "backoff": "0s"},
)
NGINX = Preset(
    about="nginx: at once at the next server after an error or a time-out (proxy_next_upstream); "
    "each server once, of which there are three unless attempts says otherwise.",
    source="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
    settings={
        **{"attempts": 3, "on": ["refused", "connect_timeout", "reset", "timeout"]},
        **{"master": "another", "backoff": "0s"},
    },
)

RETRIES: Named[Preset] = Named(
    "a preset of retries",
    {"haproxy": HAPROXY, "haproxy-redispatch": HAPROXY_REDISPATCH, "nginx": NGINX},
)
