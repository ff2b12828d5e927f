"""The charting library that a page carries along: Vega, Vega-Lite and vega-embed in one script.

Vega was chosen since a chart is data (a specification in JSON that holds no code and can be
tested), is drawn as SVG that style sheets, printers and screen readers reach, and adds 0.9 MB to a
page; plotly.js adds 4.7 MB, and Bokeh draws on a canvas. `vl-convert-python` bundles it.
"""

from __future__ import annotations

import functools

EXTRA = "report"
"""The extra of the package that brings the library."""


class NoLibraryError(ValueError):
    """What a page needs is not installed; the message says how to get it."""


@functools.cache
def script() -> str:
    """The library as one script for a page. Raises NoLibraryError if it is not installed."""
    try:
        import vl_convert
    except ImportError:
        how = f"pip install 'hasim[{EXTRA}]'"
        raise NoLibraryError(f"a report needs vl-convert-python: {how}") from None
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script")
