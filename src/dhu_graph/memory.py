"""Keeping the memory of long work small."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator


def few_heaps() -> None:
    """Two heaps for all threads of this process, to be called before its threads start.

    With glibc's one heap a thread, what each has freed stays with it: some 240 MB in a build of 100,000 records.
    """
    with contextlib.suppress(
        AttributeError, OSError
    ):  # another C library has no such knob, and no such habit
        ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX


def give_back() -> None:
    """Gives freed memory back to the system, between two stages of long work."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Within it no garbage is looked for: among millions of living objects each look takes long and finds nothing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
