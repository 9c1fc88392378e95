"""An upstream that costs next to nothing, and waits SECONDS (its argument) before each answer."""

import asyncio
import json
import re
import sys

ANSWERS = {
    b"transcriptions": (b"application/json", json.dumps({"text": "What time is it?"}).encode()),
    b"completions": (
        b"application/json",
        json.dumps({"choices": [{"message": {"role": "assistant", "content": "Noon."}}]}).encode(),
    ),
    b"speech": (b"audio/mpeg", b"ID3" + bytes(30_000)),
}
LENGTH = re.compile(rb"content-length: *(\d+)", re.I)


class Calls(asyncio.Protocol):
    """The calls of one connection; bodies are counted and thrown away."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.head = b""
        self.left = 0
        self.answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.left:
            self.left -= len(data)
        else:
            self.head += data
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            self.head = b""
            kind, content = ANSWERS[head.split(b" ", 2)[1].rpartition(b"/")[2]]
            self.answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
                kind,
                len(content),
            )
            self.answer += content
            length = LENGTH.search(head)
            self.left = (int(length[1]) if length else 0) - len(body)
        if not self.left:
            if self.seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.seconds, self.transport.write, self.answer)
            else:
                self.transport.write(self.answer)


async def main(seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Calls(seconds), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
