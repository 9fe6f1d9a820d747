# SPDX-License-Identifier: Apache-2.0
"""aiocoap as an OSCORE client that does what stdin says, and answers each line with one line of JSON.
usage: aiocoap_client.py [CONTEXT-FOLDER]      without a folder its requests are not protected

    {"do": "get" | "put" | "post" | "delete", "uri": ..., "text": ..., "format": ..., "non": true}
                                    the answer: {"code": "2.05", "text": ..., "format": ...}
    {"do": "observe", "uri": ...}   the answer to the registration; then
    {"do": "next"}                  the next notification
    {"do": "end"}                   stores the context's numbers and exits; without it they are lost, as in a crash

Whatever goes wrong is {"error": class, "what": text}. An answer that should have been protected and was not is
{"error": "NotAProtectedMessage", "code": ..., "text": ...}: its code and text as they came.
"""
import asyncio
import json
import logging
import os
import sys

os.environ["AIOCOAP_CLIENT_TRANSPORT"] = "oscore:simple6"

import aiocoap  # noqa: E402
from aiocoap import oscore  # noqa: E402

WAIT_S = 15


def describe(message):
    return {"code": message.code.dotted, "text": message.payload.decode("utf-8", "backslashreplace"),
            "format": message.opt.content_format}


class Client:
    def __init__(self, context):
        self.context = context
        self.observing = self.observation = None

    async def answer(self, order):
        do = order["do"]
        if do == "next":
            return describe(await anext(self.observation))
        method = "get" if do == "observe" else do
        request = aiocoap.Message(code=getattr(aiocoap, method.upper()), uri=order["uri"],
                                  payload=order.get("text", "").encode())
        if "format" in order:
            request.opt.content_format = order["format"]
        if order.get("non"):
            request.mtype = aiocoap.NON
        if do == "observe":
            request.opt.observe = 0
        asked = self.context.request(request)
        first = await asked.response
        if do == "observe":
            self.observing = asked  # aiocoap ends an observation that nobody holds
            self.observation = aiter(asked.observation)
        return describe(first)


async def main(folder):
    context = await aiocoap.Context.create_client_context()
    if folder is not None:
        context.client_credentials.load_from_dict({"coap://*": {"oscore": {"basedir": folder}}})
    client = Client(context)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "end":
            break
        try:
            answer = await asyncio.wait_for(client.answer(order), WAIT_S)
        except oscore.NotAProtectedMessage as unprotected:
            answer = {"error": "NotAProtectedMessage"} | describe(unprotected.plain_message)
        except Exception as error:  # a line for whatever it is
            answer = {"error": type(error).__name__, "what": str(error)}
        print(json.dumps(answer), flush=True)
    else:
        os._exit(0)  # past aiocoap's __del__, which would store the numbers
    await context.shutdown()
    for item in context.client_credentials.values():
        item._destroy()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
