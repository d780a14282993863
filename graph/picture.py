"""The picture of the graph in the documents: drawn from the compiled graph, never by hand. `make picture` renews it."""

import sys
from pathlib import Path

from domain.errors import ConfigurationError
from graph.building import build
from tools.context import Toolbox

BEGIN = "<!-- picture: made by `make picture` from the compiled graph -->"
END = "<!-- end of picture -->"
DOCUMENTS = ("README.md", "ARCHITECTURE.md")


def picture() -> str:
    """The compiled graph as Mermaid text."""
    undriven = Toolbox.__new__(Toolbox)  # the nodes are only drawn, so they need nothing to work with
    return build(undriven).compile().get_graph().draw_mermaid().strip()


def pictured(document: str) -> str:
    """The document with the picture between its markers as the graph is now.

    Raises:
        ConfigurationError: it does not have the two markers.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigurationError(f"The document has no place for the picture: put it between {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n```mermaid\n{picture()}\n```\n{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:] or DOCUMENTS:
        file = Path(name)
        file.write_text(pictured(file.read_text(encoding="utf-8")), encoding="utf-8")
