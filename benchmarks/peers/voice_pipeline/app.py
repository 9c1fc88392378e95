"""The chain as openai-agents' documents have it: a VoicePipeline, whose sound FastAPI streams.

The answer is PCM alone (24 kHz, 16 bit, mono), which is all that a VoicePipeline makes.
"""

import wave
from typing import Annotated

import numpy as np
from agents import Agent, OpenAIChatCompletionsModel, set_tracing_disabled
from agents.voice import (
    AudioInput,
    OpenAIVoiceModelProvider,
    SingleAgentVoiceWorkflow,
    VoicePipeline,
    VoicePipelineConfig,
)
from fastapi import FastAPI, Header, UploadFile
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

app = FastAPI()
shared = AsyncOpenAI(api_key="each request brings its own")
set_tracing_disabled(True)  # As the documents say where no key of OpenAI's own is at hand.


async def sound(result):
    """The speech, as it arrives."""
    async for event in result.stream():
        if event.type == "voice_stream_event_audio":
            yield event.data.tobytes()


@app.post("/api/conversation/")
async def converse(audio: UploadFile, x_openai_api_key: Annotated[str, Header()]):
    """Transcribe, reply, speak; a workflow holds one conversation's history."""
    client = shared.with_options(api_key=x_openai_api_key)
    agent = Agent(
        name="Assistant",
        instructions="Answer in plain spoken sentences.",
        model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=client),
    )
    pipeline = VoicePipeline(
        workflow=SingleAgentVoiceWorkflow(agent),
        stt_model="whisper-1",
        tts_model="tts-1",
        config=VoicePipelineConfig(model_provider=OpenAIVoiceModelProvider(openai_client=client)),
    )
    with wave.open(audio.file, "rb") as recording:
        samples = np.frombuffer(recording.readframes(recording.getnframes()), dtype=np.int16)
        rate = recording.getframerate()
    result = await pipeline.run(AudioInput(buffer=samples, frame_rate=rate))
    return StreamingResponse(sound(result), media_type="audio/pcm")
