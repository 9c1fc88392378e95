"""Memory of idle workers (PSS): ours and the peers'."""

from processes import pss, tree_of
from report import measure, show
from servers import FASTAPI, FLASK_SDK, PARLEY, serving


def main() -> None:
    print("MB, two idle workers: each, and with what runs beside them")
    for service in (PARLEY, FLASK_SDK, FASTAPI):
        with serving(service, "http://127.0.0.1:9/v1", workers=2) as (_, pid):
            members = tree_of(pid)
            workers = members[-2:]
            show(service.name, f"{pss(*workers) / 2:.1f}", f"{pss(*members):.1f}")


if __name__ == "__main__":
    measure(main)
