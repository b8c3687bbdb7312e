"""One query worker: a process that opens a store read-only and answers requests until its parent goes away.

Run as a file or as `python -m dhu_graph.sparql.worker STORE MEMORY_MB`, with one end of a socket pair as stdin. Over
that socket go frames of a 4-byte big-endian length and a JSON object; an answer's frame is followed by its body, or
carries the descriptor of an unlinked temporary file. stdout is no channel, so nothing printed can spoil an answer.

It imports nothing of dhu_graph: it starts in the time that Python and pyoxigraph need. Two threads: one waits on the
socket and ends the process when the parent is gone, even amid a query; the other, with a large stack, does the
queries from parsing to the last byte, since pyoxigraph's results abort the process when another thread touches them.
"""

import errno
import gc
import json
import os
import queue
import resource
import socket
import struct
import sys
import threading
from typing import IO, Any, Final

import pyoxigraph as ox

STACK: Final = 64 << 20
"""Bytes of stack for the parser; 8 MB break at a few hundred nested calls."""
IN_MEMORY: Final = 1 << 20
"""Bytes of an answer kept in memory before it moves to a temporary file."""

TAKEN: Final = b"+"
"""Sent when a request has arrived whole: if the process is found dead before that, another can be asked."""


class TooLarge(Exception):
    """The answer passed its size limit."""


class Spool:
    """Takes an answer while it is written: in memory first, then in an unlinked file; never beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.parts: list[bytes] = []
        self.file: IO[bytes] | None = None

    def write(self, data: bytes) -> int:
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge
        if self.file is None and self.size > IN_MEMORY:
            import tempfile  # rarely needed, and not cheap to import

            self.file = tempfile.TemporaryFile(prefix="dhu-answer-")
            self.file.writelines(self.parts)
            self.parts.clear()
        if self.file is None:
            self.parts.append(bytes(data))
        else:
            self.file.write(data)
        return len(data)

    def flush(self) -> None:
        if self.file is not None:
            self.file.flush()

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def evaluate(store: ox.Store, request: dict[str, Any], spool: Spool) -> None:
    """Runs one query and writes its answer to the spool."""
    dataset: dict[str, Any] = {"use_default_graph_as_union": request["union"]}
    if request["default_graphs"] is not None:
        dataset = {
            "default_graph": [ox.NamedNode(iri) for iri in request["default_graphs"]],
            "named_graphs": [ox.NamedNode(iri) for iri in request["named_graphs"]],
        }
    prefixes = request["prefixes"]
    results = store.query(request["query"], prefixes=prefixes, **dataset)
    name = request["serializer"]
    output: Any = spool
    if not isinstance(results, ox.QueryTriples):
        results.serialize(output, format=getattr(ox.QueryResultsFormat, name))
    elif name == "N_TRIPLES":
        results.serialize(output, format=ox.RdfFormat.N_TRIPLES)
    else:  # slower, but with prefixes
        ox.serialize(results, output, format=getattr(ox.RdfFormat, name), prefixes=prefixes)
    spool.flush()


def answer(store: ox.Store, request: dict[str, Any], channel: socket.socket) -> bool:
    """Answers one request; False when the process should not be used again."""
    spool = Spool(request["limit"])
    try:
        status, detail, sound = "ok", "", True
        try:
            evaluate(store, request, spool)
        except TooLarge:
            status = "size"
        except MemoryError:
            status, sound = "memory", False
        except SyntaxError as error:
            status, detail = "syntax", str(error)
        except OSError as error:
            status, detail = ("disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "error"), str(error)
        except Exception as error:
            status, detail = "error", f"{error}"
        except BaseException as error:  # a Rust panic; its locks may be left held
            status, detail, sound = "panic", f"{error}", False
        reply(channel, {"status": status, "detail": detail, "size": spool.size}, spool)
        return sound
    finally:
        spool.close()


def reply(channel: socket.socket, header: dict[str, Any], spool: Spool | None = None) -> None:
    """Sends a frame and, where the status is ok, the body or the file that holds it."""
    good = spool is not None and header["status"] == "ok"
    file = spool.file if spool is not None and good else None
    data = json.dumps({**header, "file": file is not None}).encode()
    length = struct.pack(">I", len(data))
    if file is not None:
        socket.send_fds(channel, [length], [file.fileno()])
    else:
        channel.sendall(length)
    channel.sendall(data)
    if spool is not None and good and file is None:
        channel.sendall(b"".join(spool.parts))


def receive(channel: socket.socket, size: int) -> bytes:
    """Exactly so many bytes; ends the process at once when the parent is gone."""
    data = bytearray()
    while len(data) < size:
        piece = channel.recv(size - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return bytes(data)


def limit_memory(megabytes: int) -> None:
    """Lets the process map so much more than it has mapped now (RocksDB alone reserves some 400 MB of addresses)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        mapped = 1 << 30
    limit = mapped + (megabytes << 20)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (OSError, ValueError):  # macOS knows the limit and refuses to set it
        pass


def main(path: str, memory_mb: int) -> None:
    """Opens the store, says it is ready, and serves."""
    channel = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        store = ox.Store.read_only(path)
    except Exception as error:
        reply(channel, {"status": "error", "detail": str(error), "size": 0})
        return
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def serve() -> None:
        while True:
            if not answer(store, requests.get(), channel):
                os._exit(1)

    threading.stack_size(STACK)
    threading.Thread(target=serve, daemon=True).start()
    gc.freeze()
    limit_memory(memory_mb)
    reply(channel, {"status": "ready", "detail": "", "size": 0})
    while True:
        request = json.loads(receive(channel, struct.unpack(">I", receive(channel, 4))[0]))
        channel.sendall(TAKEN)
        requests.put(request)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
