"""How Sphinx makes the site: sphinx-build -W -n docs OUT."""

from importlib.metadata import version as installed

project = "progfix"
author = "The progfix authors"
release = version = installed("progfix")
html_title = f"progfix {version}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["*.sh"]
html_theme = "furo"

myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # pages for GitHub, whose levels may begin at any depth

autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
