"""Streams of PCM at a real upstream's pace, two workers: first and last sound, alone and 50."""

import statistics
from functools import partial

from answers import Kind
from callers import repeatedly
from comparison.record import Record
from comparison.turns import measured, taken, together
from servers import PARLEY, VOICE_PIPELINE, upstream

KINDS = {PARLEY: Kind.EVENTS, VOICE_PIPELINE: Kind.SOUND}
PCM = {"audio_format": "pcm"}
CALLERS = {"alone": 1, "50": 50}


def measure(record: Record, turns: int) -> None:
    """Seconds to the first and to the last sound."""
    with upstream() as url, together(record, KINDS, url, workers=2) as services:
        for name, callers in CALLERS.items():
            where = f"streams, {callers} at once"
            for turn, each in taken(where, services, turns, warm=True):
                kind = KINDS[each.service]
                load = partial(repeatedly, callers=callers, kind=kind, wanted=0, fields=PCM)
                heard, used = measured(record, each, where, load)
                if not turn or not heard:
                    continue
                figures = {
                    f"first_{name}": statistics.median(each.first for each in heard),
                    f"last_{name}": statistics.median(each.seconds for each in heard),
                }
                if callers > 1:
                    figures[f"processor_{name}"] = used
                record.add(each.name, **figures)
