"""Reading the body of an answer, as far as it is wanted."""

import aiohttp


async def read_bounded(answer: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    """The body and whether it is whole.

    An error that breaks off keeps its status; a success that does so is no answer.
    """
    content = bytearray()
    try:
        async for part in answer.content.iter_chunked(64 * 1024):
            content += part
            if len(content) > most:
                answer.close()
                return bytes(content[:most]), False
    except (aiohttp.ClientError, OSError):
        if answer.status < 400:
            raise
        return b"", False
    return bytes(content), True
