// Peer: npm http-proxy behind Node's https server, with a keep-alive agent. Arguments: port, backend's port, certificate
// file, key file, cipher suite.
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createServer } from "node:https";

import httpProxy from "http-proxy";

const [port, backend, certificate, key, ciphers] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target: { host: "127.0.0.1", port: Number(backend) },
  agent: new Agent({ keepAlive: true, maxFreeSockets: 128 }),
  xfwd: true,
});
proxy.on("error", (error, _request, response) => {
  console.error(error);
  response.destroy();
});
const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key), minVersion: "TLSv1.3", ciphers },
  (request, response) => proxy.web(request, response),
);
server.keepAliveTimeout = 600_000;
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
