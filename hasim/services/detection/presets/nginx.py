"""nginx's passive checks of the servers of an upstream."""

from __future__ import annotations

from hasim.settings.presets import Preset

NGINX = Preset(
    about="nginx's passive checks: one failed request within 10 s takes a server out for 10 s, "
    "then it is tried again; the trial is a check here, as no message is risked.",
    source="https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server (max_fails, "
    "fail_timeout); https://nginx.org/en/docs/http/ngx_http_proxy_module.html"
    "#proxy_next_upstream (error timeout), #proxy_read_timeout",
    settings={
        "evidence": ["messages", {"kind": "probe", "when": "in-doubt"}],
        "observe": "answers",
        "counted": ["reset", "timeout"],  # beside a refused connection: no answer counts
        "count_by": "in-window",
        "error_limit": 1,  # max_fails
        "error_window": "10s",  # fail_timeout
        "on_error": "mark-down",
        "interval": "10s",  # fail_timeout, too
        "fast_interval": None,
        "down_interval": None,
        "timeout": "60s",  # proxy_read_timeout
        "detector": "threshold",
        "fall": 1,
        "rise": 1,
    },
)
