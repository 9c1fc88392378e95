"""The composition root: settings, registry, transport and app; the only file that knows the tree.

`gunicorn wsgi:app` and `flask --app wsgi` both start here.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Semaphore

ROOT = Path(__file__).resolve().parent
# Put on the path rather than installed: some platforms move the tree after the build.
sys.path.insert(0, str(ROOT / "src"))

from blueprints import BLUEPRINTS  # noqa: E402  # The path must be set first.
from parley import log, page, registry  # noqa: E402
from parley.app import Services, create_app  # noqa: E402
from parley.commands import models, openapi  # noqa: E402
from parley.errors import StartRefused  # noqa: E402
from parley.settings import Settings  # noqa: E402
from parley.transport import Transport  # noqa: E402

try:
    settings = Settings.from_env(os.environ)
    services = Services(
        settings,
        registry.read(ROOT / settings.model_list),
        Transport(settings.threads, ca_bundle=os.environ.get("REQUESTS_CA_BUNDLE")),
        today=lambda: datetime.now(UTC).date(),
        places=Semaphore(settings.threads),
    )
except StartRefused as refusal:
    sys.exit(f"Parley does not start: {refusal}")

# A command's output is its own: what is logged stands beside it.
log.write_to(sys.stderr if "FLASK_RUN_FROM_CLI" in os.environ else sys.stdout, settings.log_level)
app = create_app(services, [*BLUEPRINTS, *([page.bp] if settings.page else [])])
app.cli.add_command(models)
app.cli.add_command(openapi)
