"""Every platform that the documents name takes the tree as it is, and runs it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from testing.builders import ROOT, copy_tree, ran
from testing.fake_openai import REPLY, soon
from testing.gunicorn_process import LASTING_LIST, free_port, serving
from testing.representations import ask

# What a builder takes for another language's tree, or for several: none of it may be at the root.
# Heroku: https://devcenter.heroku.com/articles/buildpacks, and bin/detect of each
# github.com/heroku/heroku-buildpack-*; Dokku's and Scalingo's are forks of these, which also read
# .buildpacks. Fir: builder.toml in github.com/heroku/cnb-builder-images.
# Nixpacks: src/lib.rs and src/providers in github.com/railwayapp/nixpacks.
# Railpack: core/providers in github.com/railwayapp/railpack.
OTHERS = """
.buildpacks Gemfile package.json project.clj build.clj mix.exs shard.yml .meteor deno.json*
pom.xml pom.atom pom.clj pom.groovy pom.rb pom.scala pom.y*ml gradlew build.gradle*
settings.gradle* *.sbt .sbtrc project .sbt composer.json index.php
go.mod go.work main.go Gopkg.lock Godeps vendor glide.yaml *.sln *.slnx *.csproj *.fsproj *.vbproj
Staticfile static.json index.html public index dist pubspec.yaml gleam.toml package.yaml haunt.scm
Cargo.toml Package.swift CMakeLists.txt meson.build start.sh
"""
# What takes the choice away from these: Dokku's builders (builder-detect of each
# plugins/builder-* in github.com/dokku/dokku), Railway's and Fly's Dockerfile, Heroku's manifest.
SWITCHES = """
Dockerfile Containerfile docker-compose.y*ml heroku.yml project.toml nixpacks.toml railpack.json
railway.toml railway.json lambda.yml captain-definition fly.toml
"""
# What resource is like on Darwin.
DARWIN = """\
import resource

def setrlimit(which, limits):
    if not 0 <= limits[0] <= 10_240:
        raise ValueError("current limit exceeds maximum limit")

resource.getrlimit = lambda which: (256, resource.RLIM_INFINITY)
resource.setrlimit = setrlimit
"""
# Other installers of Python's, of which Heroku allows one alone, and another version's name.
INSTALLERS = "Pipfile Pipfile.lock poetry.lock uv.lock pdm.lock runtime.txt"


def test_the_tree_is_python_to_every_platform(tmp_path):
    """No other buildpack's mark, no manifest, no second list of packages is at a push's root."""
    root = {path.name for path in copy_tree(tmp_path).iterdir()}
    marks = f"{OTHERS}{SWITCHES}{INSTALLERS}".split()
    assert [name for name in root for mark in marks if fnmatchcase(name, mark)] == []
    assert {"Procfile", ".python-version", "requirements.txt"} <= root


def test_the_button_is_as_heroku_describes_it():
    """app.json keeps to Heroku's schema, and sets no quantity, which disables Dokku's ps:scale."""
    manifest = json.loads((ROOT / "app.json").read_text())
    schema = json.loads((ROOT / "tests" / "deployment" / "app-json.schema.json").read_text())
    jsonschema.validate(manifest, schema)
    assert manifest["buildpacks"] == [{"url": "heroku/python"}]
    assert "formation" not in manifest
    readme = (ROOT / "README.md").read_text()
    assert all(f"| `{name}` |" in readme for name in manifest["env"])


def test_renders_blueprint_has_the_documented_keys():
    """render.yaml says what https://render.com/docs/blueprint-spec asks of a Python service."""
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text())
    assert set(blueprint) == {"services"}
    [service] = blueprint["services"]
    needed = {"type", "name", "runtime", "buildCommand", "startCommand"}
    optional = {"plan", "region", "healthCheckPath", "envVars", "numInstances"}
    optional |= {"maxShutdownDelaySeconds"}
    assert needed <= set(service) <= needed | optional
    assert (service["type"], service["runtime"]) == ("web", "python")
    procfile = (ROOT / "Procfile").read_text()
    assert procfile == f"web: {service['startCommand']}\n"
    assert service["healthCheckPath"] == "/healthz"


def test_kubernetes_objects_are_valid():
    """deploy/kubernetes.yaml holds the four objects, each as Kubernetes' own schema wants it."""
    objects = list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text()))
    for kubernetes_object in objects:
        kubernetes_validate.validate(kubernetes_object, "1.31", strict=True)
    kinds = ["Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"]
    assert [each["kind"] for each in objects] == kinds
    pod = objects[0]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= pause + 29
    settings = {each["name"]: each["value"] for each in container["env"]}
    assert set(settings) == {"PORT", "PARLEY_CAPACITY"}
    limits = container["resources"]["limits"]
    # docs/scaling.md has the figures: MB of two idle workers, and KB for each in flight.
    in_flight = int(limits["cpu"]) * int(settings["PARLEY_CAPACITY"])
    assert 49e6 + in_flight * 279e3 <= int(limits["memory"].removesuffix("Mi")) * 2**20


def test_the_image_copies_what_it_is_given():
    """deploy/Dockerfile copies what .dockerignore lets in, and all of that is there."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    copied = {name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]}
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignore if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    definition = json.loads((ROOT / "deploy" / "captain-definition").read_text())
    assert (ROOT / Path(definition["dockerfilePath"])).samefile(ROOT / "deploy" / "Dockerfile")


@pytest.mark.system
def test_the_procfile_serves_from_a_moved_read_only_tree(tmp_path, upstream):
    """With the platform's variables alone; SIGTERM ends it in good order and in time."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("src", "blueprints"):
        shutil.copytree(ROOT / name, tmp_path / "build" / name, ignore=unwanted)
    for name in ("wsgi.py", "gunicorn.conf.py", "Procfile"):
        shutil.copy(ROOT / name, tmp_path / "build")
    shutil.copy(LASTING_LIST, tmp_path / "build" / "MODEL_LIST.MD")
    tree = (tmp_path / "build").rename(tmp_path / "app")
    port = free_port()
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tree),
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "DYNO": "web.1",
        "PARLEY_OPENAI_BASE_URL": upstream.url,
    }
    mount = f"mount --bind {tree} {tree} && mount -o remount,bind,ro {tree} && cd {tree}"
    run = subprocess.Popen(
        ["/usr/bin/unshare", "-m", "sh", "-c", f"{mount} && exec honcho start web"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def listens():
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert soon(listens, 30)
        told = ask(f"http://127.0.0.1:{port}")
    finally:
        begun = time.monotonic()
        run.send_signal(signal.SIGTERM)
        output, _ = run.communicate(timeout=35)
    assert (told.status, told.reply) == (200, REPLY), output
    assert time.monotonic() - begun < 30
    assert "status=200" in output
    assert "Traceback" not in output
    assert not list(tree.rglob("__pycache__"))


@pytest.mark.system
def test_it_serves_where_there_is_no_shared_memory(tmp_path, upstream):
    """Where /dev/shm cannot be written to, the workers' heartbeats go to the disk."""
    mount = 'mount -t tmpfs -o ro none /dev/shm && exec "$@"'
    under = ["/usr/bin/unshare", "-m", "sh", "-c", mount, "sh"]
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    with serving(tmp_path / "log", variables, under=under) as service:
        assert ask(service.url).status == 200


def test_the_configuration_loads_where_the_limit_is_infinite(tmp_path):
    """Darwin names no limit of open files, and refuses more than OPEN_MAX: its setrlimit(2)."""
    (tmp_path / "sitecustomize.py").write_text(DARWIN)
    check = [sys.executable, "-m", "gunicorn", "--check-config", "wsgi:app"]
    ran(*check, PYTHONPATH=str(tmp_path))
