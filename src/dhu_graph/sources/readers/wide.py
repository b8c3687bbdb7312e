"""Files in UTF-16 or UTF-32, read as if they were UTF-8: readers look for line ends and brackets as single bytes."""

import codecs
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dhu_graph.sources.fetch import File

_OWN = ("xml", "rdf", "xlsx")
"""Formats that say for themselves how they are encoded."""
_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK = 1 << 12


@contextmanager
def as_utf8(file: File) -> Iterator[tuple[File | None, str]]:
    """(the file as readers take it, or None; what is wrong with its encoding, to be told after its records, or nothing)."""
    if file.input.format in _OWN:
        yield file, ""
        return
    if not codecs.lookup(file.input.encoding).name.startswith(("utf-16", "utf-32")):
        with file.path.open("rb") as stream:
            head = stream.read(200)
        # Plain text in UTF-16 is zero in every second byte.
        wide = head.startswith(_MARKS) or (len(head) > 3 and head.count(0) * 3 > len(head))
        words = f'The text looks like UTF-16, not {file.input.encoding}: try encoding = "utf-16".'
        yield (None, words) if wide else (file, "")
        return
    with tempfile.NamedTemporaryFile(prefix="dhu-wide-") as plain:
        problem = ""
        decoder = codecs.getincrementaldecoder(file.input.encoding)()
        try:
            with file.path.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    plain.write(decoder.decode(block).encode())
            plain.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            problem = f"From here on the text is not {file.input.encoding}: {error}."
        plain.flush()
        item = file.input.model_copy(update={"encoding": "utf-8-sig"})
        yield replace(file, input=item, path=Path(plain.name)), problem
