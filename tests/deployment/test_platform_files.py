"""Every platform that the documents name takes the tree as it is for a Python service."""

import fnmatch
import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from testing.builders import ROOT, copy_tree

# What each platform's builders look for at the root, in the order in which they are asked.
# Heroku: https://devcenter.heroku.com/articles/buildpacks, and bin/detect of each
# github.com/heroku/heroku-buildpack-*; Dokku's and Scalingo's are forks of these, which also read
# .buildpacks. Fir: builder.toml in github.com/heroku/cnb-builder-images.
# Nixpacks: src/lib.rs and src/providers in github.com/railwayapp/nixpacks.
# Railpack: core/providers in github.com/railwayapp/railpack.
PYTHON = ["requirements.txt"]
JAVA = ["pom.xml", "pom.atom", "pom.clj", "pom.groovy", "pom.rb", "pom.scala", "pom.y*ml"]
GRADLE = ["gradlew", "build.gradle*", "settings.gradle*"]
SCALA = ["*.sbt", ".sbtrc", "project", ".sbt"]
PHP = ["composer.json", "index.php"]
GO = ["go.mod", "go.work", "main.go", "Gopkg.lock", "Godeps", "vendor", "glide.yaml"]
DOTNET = ["*.sln", "*.slnx", "*.csproj", "*.fsproj", "*.vbproj"]
DENO = ["deno.json", "deno.jsonc"]
STATIC = ["Staticfile", "static.json", "index.html", "public", "index", "dist"]
ORDERS = {
    "Heroku, Dokku, Scalingo": [
        *(("several", [".buildpacks"]), ("Ruby", ["Gemfile"]), ("Node.js", ["package.json"])),
        *(("Clojure", ["project.clj"]), ("Python", PYTHON), ("Java", JAVA), ("Gradle", GRADLE)),
        *(("Scala", SCALA), ("PHP", PHP), ("Go", GO), (".NET", DOTNET), ("static", STATIC)),
        *(("Elixir", ["mix.exs"]), ("Crystal", ["shard.yml"]), ("Meteor", [".meteor"])),
    ],
    "Heroku Fir": [
        *(("Python", PYTHON), ("Node.js", ["package.json"]), ("Ruby", ["Gemfile"])),
        *(("Java", JAVA), ("Gradle", GRADLE), ("Scala", SCALA), ("Go", GO), ("PHP", PHP)),
        (".NET", DOTNET),
    ],
    "Nixpacks": [
        *(("Crystal", ["shard.yml"]), (".NET", DOTNET), ("Dart", ["pubspec.yaml"])),
        *(("Elixir", ["mix.exs"]), ("Deno", DENO), ("Clojure", ["project.clj", "build.clj"])),
        *(("Gleam", ["gleam.toml"]), ("Go", GO), ("Haskell", ["package.yaml"])),
        *(("Scheme", ["haunt.scm"]), ("Java", [*JAVA, *GRADLE]), ("Scala", SCALA), ("PHP", PHP)),
        *(("Ruby", ["Gemfile"]), ("Node.js", ["package.json"]), ("Python", PYTHON)),
        *(("Rust", ["Cargo.toml"]), ("Swift", ["Package.swift"]), ("static", STATIC)),
    ],
    "Railpack": [
        *(("PHP", PHP), ("Go", GO), ("Java", [*JAVA, *GRADLE]), ("Rust", ["Cargo.toml"])),
        *(("Ruby", ["Gemfile"]), ("Elixir", ["mix.exs"]), ("Python", PYTHON), ("Deno", DENO)),
        *((".NET", DOTNET), ("Node.js", ["package.json"]), ("Gleam", ["gleam.toml"])),
        *(("C++", ["CMakeLists.txt", "meson.build"]), ("static", STATIC), ("shell", ["start.sh"])),
    ],
}
# What takes the choice away from these: Dokku's builders (builder-detect of each
# plugins/builder-* in github.com/dokku/dokku), Railway's and Fly's Dockerfile, Heroku's manifest.
SWITCHES = [
    *("Dockerfile", "Containerfile", "docker-compose.y*ml", "heroku.yml", "project.toml"),
    *("nixpacks.toml", "railpack.json", "railway.toml", "railway.json", "lambda.yml"),
    *("captain-definition", "fly.toml"),
]
# Other installers of Python's, of which Heroku allows one alone, and another version's name.
INSTALLERS = ["Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "pdm.lock", "runtime.txt"]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> set[str]:
    """The names at the root of what a push sends."""
    return {path.name for path in copy_tree(tmp_path_factory.mktemp("tree")).iterdir()}


def found(names: set[str], marks: list[str]) -> list[str]:
    return [name for mark in marks for name in sorted(names) if fnmatch.fnmatchcase(name, mark)]


def languages(platform: str, names: set[str]) -> list[str]:
    """The languages that a platform sees in a tree; it builds the first."""
    return [language for language, marks in ORDERS[platform] if found(names, marks)]


@pytest.mark.parametrize("platform", ORDERS)
def test_the_tree_is_python_to_every_platform(root, platform):
    """Nothing at the root is another buildpack's mark, before Python's or after it."""
    assert languages(platform, root) == ["Python"]


@pytest.mark.parametrize("platform", ["Heroku, Dokku, Scalingo", "Nixpacks"])
def test_a_package_json_would_make_it_another(root, platform):
    """The table says what the buildpacks said of the tree while it held one."""
    assert languages(platform, root | {"package.json"})[0] == "Node.js"


def test_nothing_at_the_root_changes_the_builder_or_the_installer(root):
    """No Dockerfile, no other platform's manifest, no second list of Python's packages."""
    assert found(root, SWITCHES + INSTALLERS) == []
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
    optional = {
        "plan",
        "region",
        "healthCheckPath",
        "envVars",
        "numInstances",
        "maxShutdownDelaySeconds",
    }
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


def test_the_image_copies_what_it_is_given():
    """deploy/Dockerfile copies what .dockerignore lets in, and all of that is there."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    copied = {name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]}
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignore if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    [definition] = [json.loads((ROOT / "deploy" / "captain-definition").read_text())]
    assert (ROOT / Path(definition["dockerfilePath"])).samefile(ROOT / "deploy" / "Dockerfile")
