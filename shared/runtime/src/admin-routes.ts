// The routes of the admin server, the same for every container: what each is for.

/** Method and path, and what it answers. */
export const ADMIN_ROUTES = {
  "GET /livez": "Liveness: 503 when a loop that has to run has stalled, and which",
  "GET /readyz": "Readiness: 503 while the container cannot do its job or is draining, and why",
  "GET /startupz": "503 until the container has started",
  "GET /metrics": "Metrics in the Prometheus text format 0.0.4",
  "GET /version": "Name, version and runtime",
  "GET /openapi.json": "This API as an OpenAPI 3.1 document",
  "GET /api/v1/status": "What the container is doing: its state, conditions, last reload, and facts of its own",
  "POST /api/v1/reload": "Reads again what can change while running, as SIGHUP does: 409 when it is refused, and why",
  "POST /api/v1/shutdown": "Drains and ends the container, as SIGTERM does",
} as const;

export type AdminRoute = keyof typeof ADMIN_ROUTES;

/** The table of endpoints of a README. */
export function endpointsMarkdown(): string {
  const rows = Object.entries(ADMIN_ROUTES).map(([route, answers]) => `| \`${route}\` | ${answers} |`);
  return ["| request | answer |", "|---|---|", ...rows].join("\n");
}
