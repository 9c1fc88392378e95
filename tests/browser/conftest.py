"""What the browser tests share: Chromium with a microphone that hears a recording, and an ear."""

import os
from contextlib import ExitStack, closing

import pytest
from browser import engines, mouth, speaking_upstream
from browser.ear import ear as ear_in
from browser.tab import VIEWPORT, Tab
from browser.webkit import webkit
from playwright.sync_api import sync_playwright
from testing import fake_openai as upstreams
from testing import gunicorn_process as serving
from testing.builders import ROOT

QUIET = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # Debian's Chromium runs its sandbox for other users than root alone.
    *(["--no-sandbox"] if os.getuid() == 0 else []),
]
MICROPHONE = [
    "--use-fake-device-for-media-stream",
    f"--use-file-for-fake-audio-capture={ROOT / 'examples' / 'question.wav'}%noloop",
]
PHONE = {"viewport": {"width": 390, "height": 844}}
ALLOWED = "--use-fake-ui-for-media-stream"


@pytest.fixture(scope="session")
def ear(tmp_path_factory):
    with ear_in(tmp_path_factory.mktemp("pulse")) as listener:
        yield listener


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def start(playwright, ear):
    """Starts Chromium, whose sound the ear hears, with more flags; it ends with the session.

    Playwright has it keep no page that was left, unless it says so.
    """

    def launch(*flags, keeps_pages=False):
        kept = ["--disable-back-forward-cache"] if keeps_pages else []
        return playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[*QUIET, *flags],
            ignore_default_args=["--mute-audio", *kept],
            env=ear.environment,
        )

    return launch


@pytest.fixture(scope="session")
def chromium(start):
    """Chromium with a microphone that hears the question, and leave to use it."""
    with closing(start(*MICROPHONE, ALLOWED)) as browser:
        yield browser


@pytest.fixture
def launch(start):
    """Starts another Chromium, with other flags; it ends with the test."""
    with ExitStack() as stack:
        yield lambda *flags, **options: stack.enter_context(closing(start(*flags, **options)))


@pytest.fixture(scope="session")
def shared_upstream():
    """One upstream for all tests, so that they can share a service."""
    with upstreams.running() as server:
        yield server


@pytest.fixture
def upstream(request, shared_upstream):
    """The upstream as the page's tests have it; its tones are short where no test listens."""
    listens = request.node.get_closest_marker("alone")
    shared_upstream.requests.clear()
    shared_upstream.answers.clear()
    yield speaking_upstream.prepare(shared_upstream, **({} if listens else {"seconds": 0.4}))
    shared_upstream.drop_connections()


@pytest.fixture(scope="session")
def serve_with(shared_upstream):
    """Serves the page in front of the upstream; no key is needed unless variables say so."""

    def start(folder, port=None, **variables):
        standard = {"PARLEY_OPENAI_BASE_URL": shared_upstream.url, "PARLEY_KEY_REQUIRED": "no"}
        return serving.serving(folder / "service.log", {**standard, **variables}, port=port)

    return start


@pytest.fixture(scope="session")
def service(serve_with, tmp_path_factory):
    """The service of all tests that need no other settings."""
    with serve_with(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def serve(upstream, service, serve_with, tmp_path):
    """The shared service, or one of the test's own, with other settings or a port."""
    with ExitStack() as stack:
        yield lambda **own: stack.enter_context(serve_with(tmp_path, **own)) if own else service


@pytest.fixture
def new_tab(request, serve, launch):
    """Opens a tab in an engine or a browser, which closes before the service ends.

    Whatever a test does, nothing fails unseen, and no request leaves the host.
    """
    tabs = []
    with ExitStack() as stack:

        def open_in(browser="chromium", script="", **options):
            if browser == "webkit":
                environment = request.getfixturevalue("environment")
                tabs.append(stack.enter_context(webkit(environment)))
            else:
                if isinstance(browser, str):
                    browser = request.getfixturevalue(browser)
                context = stack.enter_context(closing(browser.new_context(**options)))
                if script:
                    context.add_init_script(script)
                tabs.append(Tab(context.new_page()))
            return tabs[-1]

        yield open_in
        for tab in tabs:
            tab.check()


@pytest.fixture(scope="session")
def only_tab(chromium):
    """A tab for all tests that need no other: to open one takes longer than most of them."""
    with closing(chromium.new_context()) as context:
        yield Tab(context.new_page())


@pytest.fixture
def shared_tab(only_tab, serve):
    """The same; nothing of the test is left in it afterwards, nor of what the page did."""
    yield only_tab
    only_tab.check()
    only_tab.leave()


@pytest.fixture
def visit(request, new_tab):
    """Opens the page; in a tab of its own where it differs in more than its size."""

    def open_page(url, **options):
        if options.keys() <= {"viewport"}:
            tab = request.getfixturevalue("shared_tab")
            tab.page.set_viewport_size(options.get("viewport", VIEWPORT))
        else:
            tab = new_tab(**options)
        tab.load(url)
        return tab

    return open_page


@pytest.fixture
def tab(shared_tab, upstream, service):
    """The page, from a service with the simulated upstream."""
    shared_tab.load(service.url)
    return shared_tab


@pytest.fixture
def talked(tab, upstream):
    """A conversation of two turns."""
    upstream.answers["tts"] = speaking_upstream.speak(0.1)
    for turn in (1, 2):
        tab.ask(turn)
    return tab


@pytest.fixture(scope="session")
def environment(ear):
    """What browsers are started with: the ear's loudspeaker, and a screen."""
    with engines.screen() as display:
        yield {**ear.environment, "DISPLAY": display}


@pytest.fixture(scope="session")
def firefox(playwright, environment):
    with engines.firefox(playwright, environment) as browser:
        yield browser


@pytest.fixture(params=["firefox", "webkit"])
def start_engine(request, playwright, environment):
    """Starts the engine anew, without a microphone or a loudspeaker say; it ends with the test."""
    with ExitStack() as stack:

        def launch(*, loudspeaker=True, **options):
            variables = environment if loudspeaker else {**environment, "PULSE_SERVER": "unix:/no"}
            if request.param == "webkit":
                return stack.enter_context(webkit(variables, **options))
            browser = stack.enter_context(engines.firefox(playwright, variables, **options))
            return Tab(browser.new_page())

        yield launch


@pytest.fixture(params=["firefox", "webkit"])
def engine(request, new_tab, serve):
    """The page in the engine."""
    return new_tab(request.param).open(serve().url)


@pytest.fixture(params=["chromium", "firefox", "webkit"])
def phone(request, new_tab, serve):
    """The page at a phone's size, with a microphone in whose room tests speak, in each engine."""
    return new_tab(request.param, **PHONE).open(serve().url, mouth.script())


@pytest.fixture
def chrome(shared_tab, serve):
    """The same in Chromium alone."""
    shared_tab.page.set_viewport_size(PHONE["viewport"])
    return shared_tab.open(serve().url, mouth.script())


@pytest.fixture(scope="module")
def page(chromium, service):
    """A page of the service, in which modules can be imported."""
    with closing(chromium.new_context()) as context:
        page = context.new_page()
        page.goto(service.url)
        yield page
