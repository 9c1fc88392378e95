"""The sections of the API, in the order of API_DOCS.md; listed by hand, held to it by a test."""

from blueprints import (
    admin,
    auth,
    chats,
    conversation,
    documents,
    embedding,
    files,
    image,
    jobs,
    llm,
    schema,
    stt,
    system,
    tts,
    workspaces,
)

BLUEPRINTS = (
    auth.bp,
    admin.bp,
    system.bp,
    workspaces.bp,
    chats.bp,
    documents.bp,
    files.bp,
    llm.bp,
    embedding.bp,
    image.bp,
    stt.bp,
    tts.bp,
    conversation.bp,
    schema.bp,
    jobs.bp,
)
