"""The dashboard's page: a frame that its script fills with what the server says.

One file: style and script stand in it, and its security policy lets a browser ask for nothing but
the data of the server that it came from. Names reach it as JSON and are set as text, never as HTML.
"""

from __future__ import annotations

import json
from importlib import resources

from hasim.report.forms.html_text import escaped
from hasim.services.failover.lifecycle import LIFECYCLE

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:"
)
"""Nothing from elsewhere."""
HEADS = (
    "master", "state", "course", "suspicion", "in flight", "answered", "failed", "latency", "owns",
    "in truth",
)  # fmt: skip
PHASES = tuple(state for state, after in LIFECYCLE.items() if state and after)
"""The states of a failover that has not ended, as they stand in the lifecycle."""


def page(title: str) -> str:
    """The page of a source of this name."""
    shown = escaped(title)
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    phases = json.dumps(PHASES)
    style = f"{_of('hasim.report.html', 'page.css')}{_of(__package__, 'dashboard.css')}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{shown} - hasim</title>
<style>{style}</style></head><body>
<a class="skip" href="#masters">To the masters</a>
<header><h1>{shown}</h1>
<p class="theme"><label>Colours <select id="theme"><option value="auto">as the system\
<option value="light">light<option value="dark">dark</select></label></p></header>
<main>
<p class="row"><strong id="clock">-</strong> <span id="state" role="status">waiting</span>
<button type="button" id="hold" aria-pressed="false">Hold</button>
<span class="faint">Hold stops what moves here; the world goes on.</span></p>
<section id="service"><h2>Service</h2><dl class="cards">
<div><dt>uptime</dt><dd id="uptime">-</dd></div>
<div><dt>objective</dt><dd id="objective">-</dd></div>
<div><dt>budget used</dt><dd><span id="used">-</span> <span class="bar" aria-hidden="true"><span \
id="budget"></span></span></dd></div>
<div><dt>answered</dt><dd id="answered">-</dd></div>
<div><dt>failed</dt><dd id="failed">-</dd></div>
<div><dt>in flight</dt><dd id="flight">-</dd></div></dl></section>
<section><h2>Masters</h2>
<div class="wide" role="region" tabindex="0" aria-label="Masters"><table id="masters" tabindex="-1">
<thead><tr>{heads}</tr></thead><tbody></tbody></table></div>
<p class="faint" id="span"></p></section>
<section><h2>Failovers under way</h2><p id="ended" class="faint"></p>
<ol class="phases" id="phases" data-phases="{escaped(phases)}" aria-label="Failovers by phase"></ol>
<ul id="failovers"></ul></section>
<section><h2>Alerts</h2><ul id="alerts"></ul></section>
<section><h2>What happened</h2>
<ol class="story" id="news" tabindex="0" aria-label="What happened, the newest first"></ol>
</section>
</main>
<footer><p>The same as data: <a href="/dashboard">/dashboard</a> (JSON), <a href="/courses">\
/courses</a> (what was), <a href="/metrics">/metrics</a> (OpenMetrics).</p></footer>
<p id="said" class="unseen" role="status"></p>
<script>{_of(__package__, "dashboard.js")}</script>
</body></html>
"""


def _of(package: str, name: str) -> str:
    """A file of the package."""
    return (resources.files(package) / name).read_text(encoding="utf-8")
