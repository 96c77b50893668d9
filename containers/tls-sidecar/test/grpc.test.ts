// gRPC, which needs HTTP/2 from end to end: its own client and server, with the sidecar between them.
import { Client, Metadata, Server, ServerCredentials, credentials, status } from "@grpc/grpc-js";
import type { MethodDefinition, ServiceError } from "@grpc/grpc-js";
import { rawExchange, runContainer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

const serialize = (text: string): Buffer => Buffer.from(text);
const deserialize = (bytes: Buffer): string => bytes.toString();
const method = (name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<string, string> => ({
  path: `/test.Words/${name}`,
  requestStream,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});
const METHODS = {
  upper: method("Upper", false, false),
  count: method("Count", false, true),
  talk: method("Talk", true, true),
};

/** A server whose calls tell what metadata they came with. */
async function startServer(): Promise<{ address: string; seen: Metadata[] }> {
  const seen: Metadata[] = [];
  const server = new Server();
  server.addService(METHODS, {
    upper: (
      call: { request: string; metadata: Metadata },
      done: (error: Partial<ServiceError> | null, text?: string) => void,
    ) => {
      seen.push(call.metadata);
      if (call.request === "?") done({ code: status.INVALID_ARGUMENT, details: "no words" });
      else done(null, call.request.toUpperCase());
    },
    count: (call: { request: string; write(text: string): void; end(): void }) => {
      for (let i = 1; i <= Number(call.request); i++) call.write(String(i));
      call.end();
    },
    talk: (call: {
      on(event: string, listener: (text: string) => void): void;
      write(text: string): void;
      end(): void;
    }) => {
      call.on("data", (text) => call.write(`you said ${text}`));
      call.on("end", () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  cleanup(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, seen };
}

function connect(sidecar: Sidecar): Client {
  const client = new Client(
    `localhost:${sidecar.port}`,
    credentials.createSsl(Buffer.from(sidecar.files.authority.pem)),
  );
  cleanup(() => client.close());
  return client;
}

const upper = (client: Client, text: string, metadata = new Metadata()): Promise<string> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(METHODS.upper.path, serialize, deserialize, text, metadata, (error, answer) =>
      error === null ? resolve(answer!) : reject(error),
    );
  });

const H2C = ["--target-protocol", "h2c"];

test("calls, streams and errors pass, and a client cannot forge who it is", async () => {
  const { address, seen } = await startServer();
  const sidecar = await startSidecar({ target: address, args: H2C, cleanup });
  const client = connect(sidecar);
  const forged = new Metadata();
  forged.set("x-forwarded-for", "6.6.6.6");
  forged.set("x-own", "1");
  expect(await upper(client, "hello", forged)).toBe("HELLO");
  expect(seen[0]!.getMap()).toMatchObject({
    "x-own": "1",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
  });
  await expect(upper(client, "?")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: "no words" });

  const counted: string[] = [];
  const counting = client.makeServerStreamRequest(METHODS.count.path, serialize, deserialize, "1000");
  counting.on("data", (text: string) => void counted.push(text));
  await new Promise((resolve) => counting.on("end", resolve));
  expect(counted).toEqual(Array.from({ length: 1000 }, (_, i) => String(i + 1)));

  const heard: string[] = [];
  const talk = client.makeBidiStreamRequest(METHODS.talk.path, serialize, deserialize);
  talk.on("data", (text: string) => void heard.push(text));
  for (const word of ["one", "two"]) {
    talk.write(word);
    await until(() => heard.at(-1) === `you said ${word}`);
  }
  talk.end();
  await new Promise((resolve) => talk.on("end", resolve));
});

test("a call is UNAVAILABLE while the application is down, and succeeds once it is there", async () => {
  const { address } = await startServer();
  const sidecar = await startSidecar({ target: "127.0.0.1:1", args: H2C, cleanup, ready: false });
  await expect(upper(connect(sidecar), "x")).rejects.toMatchObject({ code: status.UNAVAILABLE });
  const good = await startSidecar({ target: address, args: H2C, cleanup });
  expect(await upper(connect(good), "x")).toBe("X");
});

test("SIGTERM lets a call that is open end", async () => {
  const { address } = await startServer();
  const sidecar = await startSidecar({ target: address, args: H2C, cleanup });
  const heard: string[] = [];
  const talk = connect(sidecar).makeBidiStreamRequest(METHODS.talk.path, serialize, deserialize);
  talk.on("data", (text: string) => void heard.push(text));
  talk.write("one");
  await until(() => heard.length === 1);
  sidecar.signal("SIGTERM");
  await sidecar.waitForLog("draining");
  talk.write("two");
  await until(() => heard.length === 2);
  talk.end();
  expect(await sidecar.exited).toMatchObject({ code: 0 });
});

describe("clients of HTTP/1.1", () => {
  test("are told that the application speaks HTTP/2 alone", async () => {
    const { address } = await startServer();
    const sidecar = await startSidecar({ target: address, args: H2C, cleanup });
    const { text } = await rawExchange({
      port: sidecar.port,
      tls: { ca: sidecar.files.authority.pem, servername: "localhost" },
      send: "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    });
    expect(text).toContain("HTTP/1.1 505 HTTP Version Not Supported");
    expect(text).toContain("http2_needed");
  });
});

test("options that do not go with h2c are refused", async () => {
  const files = await createFiles(cleanup);
  const args = ["--cert", files.cert, "--key", files.key, ...H2C, "--alpn", "h2,http/1.1", "--target-status", "/"];
  const { code, stderr } = await runContainer({ name: "tls-sidecar", args, cleanup });
  expect(code).toBe(2);
  expect(stderr).toContain("--alpn: expected h2 alone with --target-protocol h2c, got h2,http/1.1");
  expect(stderr).toContain("--target-status: expected --target-protocol http1 beside it, got h2c");
});
