# SPDX-License-Identifier: Apache-2.0
"""aiocoap as an OSCORE server: /hello, /time (a counter, observable), /store (2 kB), and /plain, which also answers
without protection. usage: aiocoap_server.py PORT CONTEXT-FOLDER...

Prints "listening", then a line for each request that reached a resource: its JSON members say what came, and under
which context. SIGTERM ends it and stores the contexts' numbers; after SIGKILL it asks clients for an Echo again.
"""
import asyncio
import json
import logging
import os
import signal
import sys

os.environ["AIOCOAP_SERVER_TRANSPORT"] = "oscore:simplesocketserver"

import aiocoap  # noqa: E402
from aiocoap import oscore_sitewrapper, resource  # noqa: E402
from aiocoap.credentials import CredentialsMap  # noqa: E402

ROOM = 2048


def report(request, path):
    claims = list(request.remote.authenticated_claims)
    print(json.dumps({"method": str(request.code), "path": path, "context": claims[0] if claims else None,
                      "format": request.opt.content_format, "echo": request.opt.echo is not None,
                      "payload": request.payload.decode("latin-1")}), flush=True)
    if path != "plain" and not claims:
        raise aiocoap.error.Unauthorized("OSCORE only")


class Hello(resource.Resource):
    def __init__(self, path):
        super().__init__()
        self.path = path

    async def render_get(self, request):
        report(request, self.path)
        return aiocoap.Message(content_format=0, payload=b"hello, world")


class Time(resource.ObservableResource):
    """Counts from when the first observer came."""
    def __init__(self):
        super().__init__()
        self.now = 0
        self.ticking = None

    def update_observation_count(self, newcount):
        if newcount and self.ticking is None:
            self.ticking = asyncio.get_running_loop().create_task(self.tick())
        elif not newcount and self.ticking is not None:
            self.ticking.cancel()
            self.ticking = None

    async def tick(self):
        while True:
            await asyncio.sleep(0.1)
            self.now += 1
            self.updated_state()

    async def add_observation(self, request, serverobservation):
        report(request, "time")
        await super().add_observation(request, serverobservation)

    async def render_get(self, request):
        if request.opt.observe is None:  # the others are notifications of what add_observation reported
            report(request, "time")
        return aiocoap.Message(content_format=0, payload=str(self.now).encode())


class Store(resource.Resource):
    body, format = b"", 0

    async def render_get(self, request):
        report(request, "store")
        return aiocoap.Message(content_format=self.format, payload=self.body)

    async def render_put(self, request):
        report(request, "store")
        if len(request.payload) > ROOM:
            return aiocoap.Message(code=aiocoap.REQUEST_ENTITY_TOO_LARGE)
        self.body, self.format = request.payload, request.opt.content_format or 0
        return aiocoap.Message(code=aiocoap.CHANGED)

    render_post = render_put


async def main(port, folders):
    credentials = CredentialsMap()
    credentials.load_from_dict({":" + os.path.basename(folder): {"oscore": {"basedir": folder}} for folder in folders})
    site = resource.Site()
    site.add_resource(["hello"], Hello("hello"))
    site.add_resource(["plain"], Hello("plain"))
    site.add_resource(["time"], Time())
    site.add_resource(["store"], Store())
    context = await aiocoap.Context.create_server_context(
        oscore_sitewrapper.OscoreSiteWrapper(site, credentials), bind=("127.0.0.1", port))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print("listening", flush=True)
    await ended.wait()
    await context.shutdown()
    for item in credentials.values():
        item._destroy()  # aiocoap's own place for it is __del__, which an exit of the interpreter may leave out


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
