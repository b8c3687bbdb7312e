"""What pool and worker say to each other over a pipe: a JSON head, then bytes, each with its length before it."""

import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], head: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Writes one message."""
    packed = json.dumps(head).encode()
    stream.write(_LENGTH.pack(len(packed)) + packed + _LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def receive_head(stream: IO[bytes]) -> tuple[dict[str, Any], int] | None:
    """The head of the next message and the length of its body, which is to be read next; None at the end."""
    size = stream.read(_LENGTH.size)
    if len(size) < _LENGTH.size:
        return None
    packed = stream.read(_LENGTH.unpack(size)[0])
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    head: dict[str, Any] = json.loads(packed)
    return head, int(_LENGTH.unpack(length)[0])
