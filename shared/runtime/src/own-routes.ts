// A container's own routes on the admin server: their parameters, their bodies as they came, and who may ask.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";

import type { Answerer, Asked, Route } from "./container.ts";
import { STATUS } from "./container.ts";

/** Why a changing request is refused; undefined if it is not. */
export type Judge = (
  request: FastifyRequest,
) => { status: 401 | 403; reason: "not_loopback" | "bad_token"; error: string } | undefined;
/** Lets a request through, or answers it. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
type Gate = { readonly guarded: Guard; isPermitted(request: FastifyRequest): boolean };

export type OwnRoutes = {
  readonly routes: Readonly<Record<string, Route>>;
  /** Undefined until the container has started. */
  answerer(path: string): Answerer | undefined;
};

/** Adds the routes in a scope of their own: there a body of any type stays the bytes that came. */
export function addOwnRoutes(server: FastifyInstance, own: OwnRoutes, gate: Gate): void {
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
    for (const [path, route] of Object.entries(own.routes)) scope.route(routeOf(path, route, own, gate));
  });
}

function routeOf(url: string, route: Route, own: OwnRoutes, gate: Gate): RouteOptions {
  const { method = "GET", authenticatesItself = false, maxBodyBytes } = route;
  const isGuarded = method === "POST" && !authenticatesItself;
  return {
    method,
    url,
    schema: schemaOf(route, isGuarded),
    ...(maxBodyBytes === undefined ? {} : { bodyLimit: maxBodyBytes }),
    // Before the body is read: who may not ask costs nothing.
    ...(isGuarded ? { onRequest: gate.guarded } : {}),
    handler: async (request, reply) => {
      const answerer = own.answerer(url);
      if (answerer === undefined) return reply.code(503).send({ error: "the container has not started yet" });
      const answer = await answerer(request.query as Readonly<Record<string, string>>, {
        ...askedBy(request, route),
        isPermitted: gate.isPermitted(request),
      });
      return reply.code((answer as { [STATUS]?: number })[STATUS] ?? 200).send(answer);
    },
  };
}

function askedBy(request: FastifyRequest, { headers = [], maxBodyBytes }: Route): Omit<Asked, "isPermitted"> {
  const given = headers.flatMap((name) => {
    const value = request.headers[name];
    return value === undefined ? [] : [[name, String(value)]];
  });
  const body = maxBodyBytes !== undefined && Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  return { body, headers: Object.fromEntries(given) as Record<string, string> };
}

const NOT_STARTED = "Not started yet";
const REFUSALS = { 401: "The token is missing or wrong", 403: "Not from loopback" };

function schemaOf({ summary, query, optionalQuery = {}, answer, otherStatuses }: Route, isGuarded: boolean): object {
  const parameters = Object.entries({ ...query, ...optionalQuery });
  const others = { 503: NOT_STARTED, ...(isGuarded ? REFUSALS : {}), ...otherStatuses };
  const response = Object.entries(others).map(([status, description]) => [status, jsonOf(description, {})]);
  return {
    summary,
    querystring: {
      type: "object",
      properties: Object.fromEntries(parameters.map(([name, description]) => [name, { type: "string", description }])),
      required: Object.keys(query),
    },
    response: { 200: jsonOf("The answer", answer), ...Object.fromEntries(response) },
  };
}

const jsonOf = (description: string, properties: Readonly<Record<string, object>>): object => ({
  description,
  type: "object",
  additionalProperties: true,
  properties,
});
