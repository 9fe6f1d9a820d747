// SPDX-License-Identifier: Apache-2.0
// The same server and client as ../coap_peer.c on the CoAP stack of npm:
//     node peer.js serve               prints "listening PORT"
//     node peer.js METHOD URI [PAYLOAD] [non]
//                                      prints "2.05", then the body
'use strict';

const coap = require('coap');

const LIFE_MS = 60000; // nobody has to stop a server that a test forgot
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz\n';
const large = Buffer.from(Array.from({ length: 5000 }, (_, i) => alphabet.charCodeAt(i % 37)));
const BLOCK_1024 = Buffer.from([6]);

function serve() {
  let stored = Buffer.alloc(0);
  const server = coap.createServer({ type: 'udp4' }, (request, response) => {
    const path = request.url.split('?')[0];
    const get = request.method === 'GET';
    if (path === '/hello' && get) {
      response.end('hello, world');
    } else if (path === '/query' && get) {
      response.end(request.url.split('?')[1]);
    } else if (path === '/large' && get) {
      response.setOption('ETag', Buffer.from([0x5a]));
      response.end(large);
    } else if (path === '/separate' && get) {
      setTimeout(() => response.end('it took a while'), 500);
    } else if (path === '/store' && get) {
      response.end(stored);
    } else if (path === '/store') {
      stored = request.payload;
      response.code = '2.04';
      response.end();
    } else {
      response.code = ['/hello', '/large', '/separate'].includes(path) ? '4.05' : '4.04';
      response.end();
    }
  });
  server.listen(0, '127.0.0.1', () => console.log(`listening ${server._port || server._sock.address().port}`));
  setTimeout(() => process.exit(1), LIFE_MS);
}

function ask(method, uri, payload, non) {
  const url = new URL(uri.replace(/^coap:/, 'http:'));
  const body = Buffer.from(payload || '');
  const request = coap.request({
    hostname: url.hostname,
    port: Number(url.port),
    pathname: url.pathname,
    query: url.search.slice(1),
    method: method.toUpperCase(),
    confirmable: non !== 'non',
  });
  if (body.length > 1024) {
    request.setOption('Block1', BLOCK_1024);
  }
  request.on('response', (response) => {
    process.stdout.write(`${response.code}\n`);
    process.stdout.write(response.payload, () => process.exit(0));
  });
  request.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  request.end(body);
}

const [, , command, ...rest] = process.argv;
if (command === 'serve') {
  serve();
} else {
  ask(command, ...rest);
}
