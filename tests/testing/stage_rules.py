"""The contract's rules for a host and a key of each stage, as tables of their own."""

from testing.recording_hosts import STAGES, secret

TOKEN = secret()
BY_STAGE = [f"{side} {stage}" for side in ("caller", "operator") for stage in STAGES]
NAMES = ["caller main", "operator main", *BY_STAGE]
KEYS = {name: secret() for name in NAMES}
# On which of the three ports each base URL lies: each stage has its hosts on all three, and one of
# the caller's lies on the main one's.
PORT = {
    "operator main": 0,
    "caller main": 1,
    **dict(zip(BY_STAGE, (2, 0, 1, 1, 2, 0), strict=True)),
}

# The contract's three rules. The first row that fits says whose host, and which key: the first of
# these that is given, or none. `-` fits whatever is given.
#   caller's stage URL, operator's host, caller's main URL | host | keys
RULES = [
    ("yes", "-", "-", "caller {stage}", ["caller {stage}"]),
    ("no", "yes", "no", "operator {stage}", ["operator {stage}", "caller {stage}"]),
    ("no", "-", "yes", "caller main", ["caller {stage}", "caller main"]),
    ("no", "no", "no", "operator main", ["caller {stage}", "caller main"]),
]
# With a token: the operator's host for the stage | host | keys
TOKEN_RULES = [
    ("yes", "operator {stage}", ["operator {stage}"]),
    ("no", "operator main", ["operator {stage}", "operator main"]),
]

# What can be given: `url NAME` and `key NAME` are flags.
URLS = ["url caller main", *(f"url {name}" for name in BY_STAGE)]
KEY_FLAGS = [f"key {name}" for name in NAMES]
OPERATORS_KEYS = [flag for flag in KEY_FLAGS if flag.startswith("key operator")]
CALLERS_OWN = {flag for flag in [*URLS, *KEY_FLAGS] if " caller " in flag} - {"key caller main"}


def fits(pattern: str, given: bool) -> bool:
    return pattern == "-" or (pattern == "yes") is given


def told(flags: frozenset[str], tokens: str, *, key_required: bool):
    """What the contract says: "no start", a status with its code, or each stage's URL and key."""
    if not tokens.startswith("off"):
        if tokens != "right":
            return (401, "api_key_missing" if tokens == "none" else "api_key_rejected")
        if flags & CALLERS_OWN:
            return (400, "base_url_refused")
        return {
            stage: chosen(stage, host, keys, flags)
            for stage in STAGES
            for operators, host, keys in TOKEN_RULES
            if fits(operators, f"url operator {stage}" in flags)
        }
    if flags & set(OPERATORS_KEYS):
        return "no start"
    routes = {}
    for stage in STAGES:
        given = [f"url caller {stage}" in flags, f"url operator {stage}" in flags]
        given.append("url caller main" in flags)
        _, _, _, host, keys = next(row for row in RULES if all(map(fits, row, given)))
        routes[stage] = chosen(stage, host, keys, flags)
        if host.endswith("main") and routes[stage][1] is None and key_required:
            return (401, "api_key_missing")
    return routes


def chosen(stage, host, keys, flags):
    keys = [key.format(stage=stage) for key in keys]
    return host.format(stage=stage), next((key for key in keys if f"key {key}" in flags), None)
