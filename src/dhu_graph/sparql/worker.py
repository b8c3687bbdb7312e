"""One query worker: a process that opens the store read-only and answers queries until its input ends.

Run as `python -m dhu_graph.sparql.worker STORE MEMORY_MB`. It may die of any query; the pool replaces it.
"""

import ctypes
import io
import os
import resource
import signal
import sys
import threading
from typing import IO, Any

import pyoxigraph as ox

from dhu_graph.sparql.wire import receive_head, send

STACK = 256 * 1024 * 1024
"""Bytes of stack for parsing and evaluating: deep queries recurse."""
_PR_SET_PDEATHSIG = 1


class _TooLarge(Exception):
    """The answer outgrew its limit."""


class _Capped(io.BytesIO):
    """Memory that refuses to hold more than a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self._limit:
            raise _TooLarge
        return super().write(data)


def answer(store: ox.Store, request: dict[str, Any]) -> tuple[dict[str, Any], bytes | memoryview]:
    """The head and body for one request; errors become a head with `error`."""
    out = _Capped(request["limit"])
    try:
        graphs: dict[str, Any] = {
            name: [ox.NamedNode(iri) for iri in request[name]]
            for name in ("default_graphs", "named_graphs")
            if request[name]
        }
        results = store.query(
            request["query"],
            prefixes=request["prefixes"],
            use_default_graph_as_union=request["union"],
            default_graph=graphs.get("default_graphs"),
            named_graphs=graphs.get("named_graphs"),
        )
        if isinstance(results, ox.QueryTriples):
            prefixes = (
                request["prefixes"] if request["serializer"] in ("TURTLE", "JSON_LD", "RDF_XML") else None
            )
            triples: Any = results
            if prefixes:
                ox.serialize(
                    triples, out, format=getattr(ox.RdfFormat, request["serializer"]), prefixes=prefixes
                )
            else:
                results.serialize(out, format=getattr(ox.RdfFormat, request["serializer"]))
        else:
            results.serialize(out, format=getattr(ox.QueryResultsFormat, request["serializer"]))
    except (SyntaxError, ValueError) as error:
        return {"error": "rejected", "detail": str(error)}, b""
    except (_TooLarge, MemoryError) as error:
        return {"error": "large" if isinstance(error, _TooLarge) else "memory"}, b""
    except Exception as error:
        return {"error": "failed", "detail": f"{type(error).__name__}: {error}"}, b""
    return {}, out.getbuffer()


def serve(store_path: str, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Answers requests until there are no more."""
    store = ox.Store.read_only(store_path)
    send(outgoing, {"ready": True})
    while (message := receive_head(incoming)) is not None:
        send(outgoing, *answer(store, message[0]))


def main() -> None:
    """Sets the limits, keeps stdout for answers alone, and serves in a thread with a deep stack."""
    path, memory = sys.argv[1], int(sys.argv[2]) * 1024 * 1024
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_AS, (memory + STACK, memory + STACK))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.stack_size(STACK)
    thread = threading.Thread(target=serve, args=(path, sys.stdin.buffer, outgoing))
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
