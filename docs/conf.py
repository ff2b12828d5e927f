"""How the site is built: `sphinx-build -W -n docs site`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
project = "hasim"
author = "the hasim authors"
project_copyright = author
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
exclude_patterns = ["README.md", "made/measure-words.md"]
html_theme = "furo"
html_title = "hasim"
html_show_sourcelink = False
default_role = "code"
copybutton_exclude = ".linenos, .gp, .go"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature of a strictly typed program is long; the text has it
python_use_unqualified_type_names = True
nitpick_ignore_regex = [("py:.*", ".*")]  # names in docstrings are words for people


def setup(app: object) -> None:
    """Derive the pages that are derived, before any is read."""
    sys.path.insert(0, str(HERE))
    import pages

    pages.write(HERE / "made")
