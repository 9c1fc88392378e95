"""What leaves the loudspeaker: without a gap, from the first bytes on, and silent at once."""

import io
import json
import re
import time
import wave

import numpy as np
import pytest
from browser.speaking_upstream import REPLY, SENTENCES, TONE_SECONDS, hold_back, speak, told, tone
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT, http

pytestmark = [pytest.mark.system, pytest.mark.alone]
ALL_HERE = re.compile("all of its 2 segments")
LONGEST_WORD = 10


def test_a_tapped_question_is_answered_aloud_without_a_gap(tab, ear):
    """Every sample of both segments leaves the speaker, and stands in the file that is saved."""
    with ear.listening() as recording:
        tab.ask_by_tapping()
        tab.expect_state("Speaking")
        tab.expect_turn(1)
        time.sleep(0.5)
    expect(tab.said).to_have_text(TRANSCRIPT)
    expect(tab.replies).to_have_text(REPLY)
    assert recording.sounding() == pytest.approx(len(SENTENCES) * TONE_SECONDS, abs=0.2)
    assert recording.longest_gap() < 0.05
    with tab.page.expect_download() as download:
        tab.button("Save as WAV").click()
    assert download.value.suggested_filename == "reply.wav"
    with wave.open(str(download.value.path())) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == tone() * len(SENTENCES)


def test_speech_is_heard_from_its_first_bytes_on(tab, ear, upstream):
    """Before the upstream has made the rest."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\nConnection: close\r\n\r\n"

    def rest(connection, request):
        connection.sendall(tone(1))
        return False

    upstream.answers["tts"], go = hold_back(rest, first=head + tone(1))
    with ear.listening() as recording:
        tab.send(until="Speaking")
        time.sleep(2)
        assert recording.sounding() == pytest.approx(1, abs=0.3)
        tab.expect_state("Waiting for the rest")  # No voice is heard while the rest is waited for.
        go.set()
        tab.expect_turn(1)


@pytest.mark.parametrize("stop", ["Escape", "Talk"])
def test_the_sound_stops_at_once_and_the_model_is_told_what_was_heard(
    visit, serve, ear, upstream, stop
):
    """Within 0.2 s of Escape or Talk nothing is heard, and the next turn's history ends there."""
    note = """
    const press = ({ timeStamp }) => { window.pressed = performance.timeOrigin + timeStamp; };
    for (const kind of ["keydown", "click"]) addEventListener(kind, press, { capture: true });
    """
    tab = visit(serve().url, script=note)
    length = 6
    upstream.answers["tts"] = speak(length)
    with ear.listening() as recording:
        tab.send(until="Speaking")
        time.sleep(2)
        tab.press("Escape") if stop == "Escape" else tab.tap()
        time.sleep(1)
    assert recording.last_sound() - tab.page.evaluate("window.pressed") / 1000 < 0.2
    heard = tab.page.locator(".heard").first.inner_text()
    assert REPLY.startswith(heard)
    spoken = len(SENTENCES[0]) * recording.sounding() / length
    assert len(heard) == pytest.approx(spoken, abs=LONGEST_WORD)
    assert tab.page.locator(".unheard").inner_text().strip() == REPLY.removeprefix(heard).strip()
    expect(tab.page.get_by_text("The voice stopped here")).to_be_visible()
    upstream.answers["tts"] = speak(0.2)
    tab.ask(2)
    said = ("user", TRANSCRIPT)
    assert told(upstream)[1] == [said, ("assistant", heard.strip()), said]


def test_every_reply_can_be_heard_again_and_none_fills_the_memory(tab, ear, upstream):
    """A conversation of hours would; what is over is kept outside of it. Escape stops it again."""
    before = bytes_of_buffers(tab)
    for turn, seconds in enumerate([1, 30, 30], start=1):
        upstream.answers["tts"] = speak(seconds)
        tab.send(until="Speaking")
        expect(tab.page.get_by_role("img").last).to_have_attribute("aria-label", ALL_HERE)
        tab.press("Escape")
        tab.expect_turn(turn)
    assert bytes_of_buffers(tab) - before < len(tone(30))
    with ear.listening() as recording:
        tab.button("Hear again").first.click()
        tab.expect_state("Speaking")
        expect(tab.page.locator(".turn", has_text="heard again now")).to_have_count(1)
        expect(tab.page.locator(".turn").first).to_contain_text("heard again now")
        tab.expect_state("Ready")
        time.sleep(0.5)
    assert recording.sounding() == pytest.approx(2, abs=0.3)
    with ear.listening() as recording:
        tab.button("Hear again").last.click()
        tab.expect_state("Speaking")
        time.sleep(1)
        tab.stop()
        time.sleep(1)
    assert 0.3 < recording.sounding() < 2


def test_a_reply_can_be_spoken_faster(tab, ear, upstream):
    """What is chosen amid it holds for what is left of it.

    The next is twice as fast, at the same pitch, and heard to its end.
    """
    upstream.answers["tts"] = speak(6)
    with ear.listening() as recording:
        tab.send(until="Speaking")
        with tab.settings() as page:
            page.get_by_label("How fast replies are spoken").select_option("Twice as fast")
        tab.expect_turn(1)
        time.sleep(0.5)
    assert 5.5 < recording.sounding() < 10  # Of 12 s.
    upstream.answers["tts"] = speak()
    with ear.listening() as recording:
        tab.ask(2)
        time.sleep(0.5)
    assert recording.sounding() == pytest.approx(len(SENTENCES) * TONE_SECONDS / 2, abs=0.25)
    loud = np.array([sample for sample in recording.samples if sample], dtype=float)
    spectrum = np.abs(np.fft.rfft(loud))
    assert np.argmax(spectrum) * 24_000 / len(loud) == pytest.approx(440, abs=5)


def test_an_upstream_whose_pcm_has_another_rate(tab, ear, upstream):
    """Speech is asked for as WAV then, without a word; from then on at once."""
    seconds = 0.8

    def other_rate(connection, request):
        if json.loads(request.body)["response_format"] == "wav":
            wav = io.BytesIO()
            with wave.open(wav, "wb") as file:
                file.setparams((1, 2, 48_000, 0, "NONE", ""))
                file.writeframes(np.repeat(np.frombuffer(tone(seconds), "<i2"), 2).tobytes())
            connection.sendall(http(wav.getvalue(), Content_Type="audio/wav"))
        else:
            connection.sendall(http(tone(seconds), Content_Type="audio/pcm;rate=16000"))
        return True

    upstream.answers["tts"] = other_rate
    tab.page.route("**/api/conversation/", refuse_pcm)
    with ear.listening() as recording:
        tab.ask(1)
        time.sleep(0.5)
    expect(tab.alert).to_be_empty()
    assert recording.sounding() == pytest.approx(len(SENTENCES) * seconds, abs=0.3)
    calls = len(upstream.requests)
    tab.ask(2)
    assert len([one for one in upstream.requests[calls:] if one.stage == "stt"]) == 1
    assert told(upstream)[-1] == [("user", TRANSCRIPT), ("assistant", REPLY), ("user", TRANSCRIPT)]


def refuse_pcm(route):
    """What the service says of such an upstream where pcm is asked for."""
    if b'name="audio_format"\r\n\r\npcm' not in route.request.post_data_buffer:
        return route.continue_()
    message = "The upstream's pcm has 16000 samples a second, not 24000: ask for wav instead."
    error = {"stage": "tts", "code": "upstream_malformed", "message": message}
    events = [
        ("transcript", {"at": 1, "text": TRANSCRIPT, "model": "m"}),
        ("text", {"at": 2, "delta": REPLY}),
        ("error", {"at": 3, **error}),
        ("done", {"at": 4}),
    ]
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return route.fulfill(content_type="text/event-stream", body=body)


def bytes_of_buffers(tab) -> int:
    """How large the page's buffers are that it can still reach."""
    devtools = tab.page.context.new_cdp_session(tab.page)
    devtools.send("HeapProfiler.collectGarbage")
    return devtools.send("Runtime.getHeapUsage")["backingStorageSize"]
