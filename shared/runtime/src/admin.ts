// The admin server: probes, metrics, version, status and the changing requests, each described in /openapi.json.
import { timingSafeEqual } from "node:crypto";
import { lstatSync, rmSync } from "node:fs";

import swagger from "@fastify/swagger";
import { formatAddress, isLoopbackHost } from "@outrigger/options";
import type { Address, Secret } from "@outrigger/options";
import fastify from "fastify";
import type { FastifyInstance, FastifyReply } from "fastify";

import { ADMIN_ROUTES } from "./admin-routes.ts";
import type { AdminRoute } from "./admin-routes.ts";
import type { Answerer, ReloadOutcome, Route } from "./container.ts";
import type { Liveness } from "./liveness.ts";
import { addOwnRoutes } from "./own-routes.ts";
import type { Guard, Judge } from "./own-routes.ts";
import type { Readiness } from "./readiness.ts";
import { runtimeName } from "./runtime-name.ts";

/** What the admin server asks of the container's life. */
export type AdminSource = {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  isStarted(): boolean;
  readonly readiness: Readiness;
  readonly liveness: Liveness;
  metricsText(): Promise<{ contentType: string; text: string }>;
  status(): Record<string, unknown>;
  /** The container's own routes by path; nobody answers them until it has started. */
  readonly routes: Readonly<Record<string, Route>>;
  answerer(path: string): Answerer | undefined;
  reload(): Promise<ReloadOutcome>;
  shutdown(): void;
  refused(reason: "not_loopback" | "bad_token"): void;
};

const json = (description: string, properties: Record<string, object>): object => ({
  description,
  type: "object",
  additionalProperties: true,
  properties,
});
const text = { type: "string" };
const flag = { type: "boolean" };
const texts = { type: "array", items: text };
const conditions = { type: "array", items: json("A condition of readiness", { name: text, ok: flag, reason: text }) };

/** Whom changing requests are accepted from. */
export type Access = {
  /** With one, whoever carries it; without, whoever is on this machine. */
  readonly token: Secret | undefined;
  /** Whether the server is reached through a Unix socket, which only this machine can do. */
  readonly unixSocket: boolean;
};

/** Builds the server with all its routes; `listenAdmin` brings it up. */
export async function createAdminServer(source: AdminSource, access: Access): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: 64 * 1024,
    connectionTimeout: 30_000,
    requestTimeout: 10_000,
    forceCloseConnections: true,
    return503OnClosing: false,
  });
  await server.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: source.name, version: source.version, description: source.summary } },
  });
  server.after(() => {
    addProbes(server, source);
    addFacts(server, source);
    const judged = judge(access);
    const guarded = guard(source, judged);
    addChanges(server, source, guarded);
    addOwnRoutes(server, source, { guarded, isPermitted: (request) => judged(request) === undefined });
  });
  await server.ready();
  return server;
}

function addProbes(server: FastifyInstance, source: AdminSource): void {
  const answer = (reply: FastifyReply, ok: boolean, body: object): FastifyReply =>
    reply.code(ok ? 200 : 503).send(body);

  server.get("/livez", { schema: schemaOf("GET /livez", ok("Alive", { live: flag, stalled: texts })) }, (_, reply) => {
    const stalled = source.liveness.stalled();
    return answer(reply, stalled.length === 0, { live: stalled.length === 0, stalled });
  });
  server.get("/readyz", { schema: schemaOf("GET /readyz", ok("Ready", { ready: flag, conditions })) }, (_, reply) =>
    answer(reply, source.readiness.isReady(), {
      ready: source.readiness.isReady(),
      conditions: source.readiness.conditions(),
    }),
  );
  server.get("/startupz", { schema: schemaOf("GET /startupz", ok("Started", { started: flag })) }, (_, reply) =>
    answer(reply, source.isStarted(), { started: source.isStarted() }),
  );
}

function addFacts(server: FastifyInstance, source: AdminSource): void {
  server.get("/metrics", { schema: schemaOf("GET /metrics") }, async (_, reply) => {
    const { contentType, text: body } = await source.metricsText();
    return reply.header("content-type", contentType).send(body);
  });
  server.get(
    "/version",
    { schema: schemaOf("GET /version", { 200: json("Version", { name: text, version: text, runtime: text }) }) },
    () => ({
      name: source.name,
      version: source.version,
      runtime: runtimeName(),
    }),
  );
  server.get(
    "/api/v1/status",
    {
      schema: schemaOf("GET /api/v1/status", {
        200: json("Status", { state: text, ready: flag, conditions }),
      }),
    },
    () => source.status(),
  );
  server.get("/openapi.json", { schema: schemaOf("GET /openapi.json") }, () => server.swagger());
}

function addChanges(server: FastifyInstance, source: AdminSource, guarded: Guard): void {
  const refusals = {
    401: json("The token is missing or wrong", { error: text }),
    403: json("Not from loopback", { error: text }),
  };
  const outcome = json("The outcome", { outcome: text, reasons: texts });
  server.post(
    "/api/v1/reload",
    {
      preHandler: guarded,
      schema: schemaOf("POST /api/v1/reload", { 200: outcome, 409: outcome, ...refusals }),
    },
    async (_, reply) => {
      const result = await source.reload();
      return reply.code(result.outcome === "refused" ? 409 : 200).send(result);
    },
  );
  server.post(
    "/api/v1/shutdown",
    {
      preHandler: guarded,
      schema: schemaOf("POST /api/v1/shutdown", {
        202: json("Begun", { state: text }),
        ...refusals,
      }),
    },
    (_, reply) => {
      source.shutdown();
      return reply.code(202).send({ state: "draining" });
    },
  );
}

const schemaOf = (route: AdminRoute, response: Record<number, object> = {}): object => ({
  summary: ADMIN_ROUTES[route],
  response,
});
const ok = (description: string, properties: Record<string, object>): Record<number, object> => ({
  200: json(description, properties),
  503: json("Not so", properties),
});

/** Judges a changing request: it needs the token where one is configured, else it has to come from loopback. */
const judge =
  ({ token, unixSocket }: Access): Judge =>
  (request) => {
    if (token !== undefined) {
      if (isBearer(request.headers.authorization ?? "", token)) return undefined;
      const error = "expected Authorization: Bearer with the token of --admin-token-file";
      return { status: 401, reason: "bad_token", error };
    }
    // A client that has already gone has no address any more: that must not pass for being near.
    const peer = request.socket.remoteAddress ?? "";
    if (unixSocket || isLoopbackHost(peer.replace(/^::ffff:/, ""))) return undefined;
    const error = "expected a request from loopback, or a token: set --admin-token-file";
    return { status: 403, reason: "not_loopback", error };
  };

/** Answers a request that is not let through, and counts it. */
const guard =
  (source: AdminSource, judge: Judge): Guard =>
  async (request, reply) => {
    const refusal = judge(request);
    if (refusal === undefined) return undefined;
    source.refused(refusal.reason);
    return reply.code(refusal.status).send({ error: refusal.error });
  };

function isBearer(header: string, token: Secret): boolean {
  // Node gives each byte of a header as one character.
  const given = Buffer.from(header, "latin1");
  const expected = Buffer.from(`Bearer ${token.reveal()}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Binds the server; returns the address as bound. A socket that a crashed predecessor left is removed first. */
export async function listenAdmin(server: FastifyInstance, address: Address): Promise<Address> {
  try {
    if ("path" in address) {
      if (isSocket(address.path)) rmSync(address.path, { force: true });
      await server.listen({ path: address.path });
      return address;
    }
    await server.listen({ host: address.host, port: address.port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const got = `${formatAddress(address)} (${code ?? message})`;
    throw new Error(`--admin-listen: expected a free address, got ${got}`, { cause: error });
  }
  const bound = server.server.address();
  return typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : address;
}

const isSocket = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
