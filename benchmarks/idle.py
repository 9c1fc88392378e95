"""Memory of an idle worker (PSS), beside the same chain on OpenAI's SDK."""

from bench import ROOT, SDK, pss, serving, show, tree_of

print("MB, two idle workers: each, and with the arbiter")
for name, arguments, tree in (("Parley", (), ROOT), ("the SDK", SDK, ROOT / "benchmarks/sdk_app")):
    with serving("http://127.0.0.1:9/v1", *arguments, workers=2, tree=tree) as (_, pid):
        arbiter, *workers = tree_of(pid)
        show((name, f"{pss(*workers) / len(workers):.1f}", f"{pss(arbiter, *workers):.1f}"))
