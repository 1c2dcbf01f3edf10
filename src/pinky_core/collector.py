"""Python's cyclic garbage collector, paused while many objects are made that all stay.

Loading and planning build large trees without cycles; every collection in between looks at all of them again and finds
nothing. Measured with 10,000 tables of 10 columns, that is half of the time of a plan.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause automatic collection inside the block. Where it is off already, it stays off afterwards.

    Two threads in such blocks do each other no harm: whoever ends last or first, the collector is on again once the
    thread that switched it off has left its block.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
