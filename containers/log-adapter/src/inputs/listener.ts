// Lines and syslog messages over connections: TCP, TLS and Unix sockets. Each connection is a stream of its own.
import { rmSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import type { Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { readBounded } from "@outrigger/files";
import { formatAddress } from "@outrigger/options";

import { createFraming } from "./framing.ts";
import { createLivePump, readStream, untilEnding } from "./input.ts";
import type { Input } from "./input.ts";

const MAX_PEM_BYTES = 1024 * 1024;

/** Listens until it is to end; then what has come is delivered. */
export async function listenForLines(input: Input): Promise<void> {
  const { context, spec, ending } = input;
  const { maxConnections, inputTlsCert, inputTlsKey } = context.options;
  const serve = serveConnections(input);
  const accept = (socket: Socket): void => {
    if (serve.connections() >= maxConnections) {
      context.metrics.refusedConnections.inc({});
      socket.destroy();
    } else serve.accept(socket);
  };
  const server =
    spec.kind === "syslog+tls"
      ? createTlsServer({ cert: await pem(inputTlsCert!), key: await pem(inputTlsKey!) }, accept)
      : createTcpServer(accept);
  // A handshake that fails is its client's problem.
  server.on("tlsClientError", () => context.metrics.refusedConnections.inc({}));
  await listen(input, server);
  await untilEnding(ending);
  server.close();
  await serve.ended();
  if (spec.kind === "syslog+unix") rmSync(spec.target, { force: true });
}

const pem = (path: string): Promise<Buffer> => readBounded(path, MAX_PEM_BYTES);

/** Resolves when it listens; a socket file that an earlier run has left is replaced. */
export async function listen({ context: { log }, spec }: Input, server: Server): Promise<void> {
  const address = spec.address!;
  if ("path" in address) rmSync(address.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`${spec.text}: ${error.message}`)));
    server.listen("path" in address ? { path: address.path } : address, resolve);
  });
  const bound = server.address();
  const shown =
    typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : { path: spec.target };
  log.info({ listener: spec.kind, address: formatAddress(shown) }, "listening");
}

function serveConnections(input: Input) {
  const open = new Set<Promise<void>>();
  return {
    connections: () => open.size,
    accept: (socket: Socket): void => {
      const reading = readConnection(input, socket)
        .catch((error: Error) => {
          input.context.metrics.inputErrors.inc({});
          input.context.log.warn({ input: input.spec.text, error: error.message }, "connection failed");
        })
        .finally(() => open.delete(reading));
      open.add(reading);
    },
    ended: () => Promise.all(open),
  };
}

async function readConnection(input: Input, socket: Socket): Promise<void> {
  const { spec, settings, ending } = input;
  const pump = createLivePump(input);
  const framing = createFraming(settings.maxLine);
  const push = async (bytes: Buffer): Promise<void> => pump.pushLines(framing.push(bytes).map(textOf));
  try {
    await readStream(socket, spec.kind === "tcp" ? pump : { push }, ending);
  } finally {
    socket.destroy();
    const rest = framing.rest();
    if (rest.length > 0) await pump.pushLines([textOf(rest)]);
    await pump.end();
  }
}

/** A message as a line: what ends lines is no part of it. */
export const textOf = (bytes: Buffer): string => bytes.toString("utf8").replace(/[\r\n\0]+$/, "");
