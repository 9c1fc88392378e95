"""The composition root: makes the settings, the services and the app; only it knows the folders.

`gunicorn wsgi:app` and `flask --app wsgi` both start here.
"""

from gevent import monkey

monkey.patch_all()  # Before other imports, which would keep the unpatched functions.

import os  # noqa: E402
import sys  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).resolve().parent
# Put on the path rather than installed: some platforms move the tree after the build.
sys.path.insert(0, str(ROOT / "src"))

from blueprints import BLUEPRINTS  # noqa: E402  # The path must be set first.
from parley import log  # noqa: E402
from parley.commands import models  # noqa: E402
from parley.errors import ConfigurationError  # noqa: E402
from parley.models import model_list  # noqa: E402
from parley.page import blueprint as page  # noqa: E402
from parley.settings import Settings  # noqa: E402
from parley.web.app import create_app  # noqa: E402
from parley.web.services import Services  # noqa: E402
from parley.web.serving.slots import Slots  # noqa: E402
from parley.wire.transport import Transport  # noqa: E402

try:
    settings = Settings.from_env(os.environ)
    services = Services(
        settings,
        model_list.read(ROOT / settings.model_list),
        Transport(settings.capacity, ca_bundle=os.environ.get("REQUESTS_CA_BUNDLE")),
        today=lambda: datetime.now(UTC).date(),
        slots=Slots(settings.capacity),  # gunicorn.conf.py may lower it.
    )
except ConfigurationError as error:
    sys.exit(f"Parley does not start: {error}")

# Under a command, stdout is the command's own output.
log.write_to(sys.stderr if "FLASK_RUN_FROM_CLI" in os.environ else sys.stdout, settings.log_level)
app = create_app(services, [*BLUEPRINTS, *([page.bp] if settings.page else [])])
app.cli.add_command(models)
