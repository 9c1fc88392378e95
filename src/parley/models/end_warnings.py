"""Which models will soon end: said once a day, for as long as the process runs."""

from datetime import date
from threading import Lock

from parley import log
from parley.models.registry import Registry


class EndWarnings:
    """Warns of the models used unasked that end soon; called at every request, it costs nothing."""

    def __init__(self, registry: Registry) -> None:
        """Warn of what `registry` says."""
        self._registry = registry
        self._said_on: date | None = None
        self._lock = Lock()

    def __call__(self, today: date) -> None:
        """Log `model_ends` for each such model, at the first call of a day (UTC)."""
        if today == self._said_on:
            return
        with self._lock:
            if today == self._said_on:
                return  # Another request of the new day came first.
            self._said_on = today
        for stage, model in self._registry.ending(today).items():
            then = self._registry.stages[stage].resolve(model.name, model.shutdown)
            log.model_ends(stage, model.name, model.shutdown, then.name)
