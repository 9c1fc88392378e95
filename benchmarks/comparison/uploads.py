"""16 uploads of 25 MB at once, two workers: memory, and processor time for a megabyte."""

from functools import partial

from callers import repeatedly
from comparison.record import Record
from comparison.turns import measured, taken, together
from processes import watched
from servers import SERVICES, upstream

UPLOADS, BYTES = 16, 26_214_400
MEGABYTES = BYTES / 1_048_576
PATIENT = {"PARLEY_DEADLINE": "180"}
"""What is measured is memory and work, not whether a busy machine is in time."""


def measure(record: Record, turns: int) -> None:
    """Peak memory and work of each turn."""
    where = f"{UPLOADS} uploads of 25 MB"
    with (
        upstream(0) as url,
        together(record, SERVICES, url, workers=2, variables=PATIENT) as services,
    ):
        for _, each in taken(where, services, turns):
            load = partial(repeatedly, callers=UPLOADS, size=BYTES, kind=each.service.kind)
            with watched(each.pid) as samples:
                _, used = measured(record, each, where, load)
            record.add(
                each.name,
                uploads_pss=max(samples),
                uploads_processor=used and used / MEGABYTES,
            )
