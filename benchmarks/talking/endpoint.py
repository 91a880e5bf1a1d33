"""An OpenAI-compatible server that writes a word at a time: python endpoint.py PORT TOKENS_PER_S

It imports nothing of the product, so that its processor time stays small and its start is quick.
An answer has `max_tokens` words; models named "short" write half as many, so that two sides end at
different times.
"""

import asyncio
import json
import sys

WORD = "kettle "


def event(text: str, reason: str | None = None) -> bytes:
    choice = {"delta": {"content": text} if text else {}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause_s: float
) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        n_words = asked["max_tokens"] // (2 if asked["model"].startswith("short") else 1)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        for _word in range(n_words):
            writer.write(event(WORD))
            await writer.drain()
            await asyncio.sleep(pause_s)
        writer.write(event("", "stop") + b"data: [DONE]\n\n")
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        return  # who asked is gone
    finally:
        writer.close()


async def serve(port: int, tokens_per_s: float) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, 1 / tokens_per_s)

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
