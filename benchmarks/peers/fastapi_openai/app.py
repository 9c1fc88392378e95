"""The chain as FastAPI's documents have it: one AsyncOpenAI that all requests share."""

import base64
from typing import Annotated

from fastapi import FastAPI, Header, UploadFile
from openai import AsyncOpenAI

app = FastAPI()
shared = AsyncOpenAI(api_key="each request brings its own")


@app.post("/api/conversation/")
async def converse(audio: UploadFile, x_openai_api_key: Annotated[str, Header()]):
    """Transcribe, reply, speak."""
    client = shared.with_options(api_key=x_openai_api_key)
    heard = await client.audio.transcriptions.create(
        model="whisper-1", file=("audio.wav", await audio.read(), "audio/wav")
    )
    message = {"role": "user", "content": heard.text}
    reply = await client.chat.completions.create(model="gpt-4o", messages=[message])
    text = reply.choices[0].message.content
    speech = await client.audio.speech.create(model="tts-1", voice="alloy", input=text)
    return {
        "transcript": heard.text,
        "text_response": text,
        "audio": base64.b64encode(speech.content).decode(),
    }
