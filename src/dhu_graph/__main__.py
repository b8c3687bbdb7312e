"""`python -m dhu_graph` is the command `dhu`."""

from dhu_graph.cli import main

main()
