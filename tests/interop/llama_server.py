"""llama.cpp's own server with the local engine's small model, for `python llama_server.py KEY`.

It prints where it listens, and serves until it is ended. A conversation has at most 512 tokens.
"""

import signal
import sys

import xllamacpp

from local_engine.chat import bundled_model

params = xllamacpp.CommonParams()
params.model.path, params.model_alias = str(bundled_model()), {"smollm2"}
params.n_ctx, params.n_parallel = 512, 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.sampling.temp, params.cache_ram_mib = 0.0, 0
params.api_keys, params.ui, params.verbosity = [sys.argv[1]], False, -1
server = xllamacpp.Server(params)
sys.stdout.write(f"listening on {server.listening_address}\n")
sys.stdout.flush()
signal.pause()
