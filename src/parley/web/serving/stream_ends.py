"""When streams end with an event instead of a cut, because the process was told to stop.

`worker.py` says what becomes of connections then.
"""

import math

from parley.deadline import Deadline
from parley.errors import Interrupted

FINISH_SECONDS = 4
"""How long before the end of the grace period a stream finishes."""

end_of_streams = Deadline(math.inf, Interrupted)
"""The process's own; there is no such moment until SIGTERM. Past it, Interrupted is raised."""
