// The container's own part of the API: sync now, go back, pause, resume.
import { createHmac, timingSafeEqual } from "node:crypto";

import type { Secret } from "@outrigger/options";
import { withStatus } from "@outrigger/runtime";
import type { Answerer, Asked, Route } from "@outrigger/runtime";

import type { SyncContext } from "./container.ts";
import type { Job } from "./job.ts";

const jobs = { type: "array", items: { type: "object", additionalProperties: true } };
const JOB = { job: "the job's name; all jobs if it is left out" };
const NO_JOB = { 404: "There is no such job" };
const SIGNATURES = ["x-hub-signature-256", "x-gitlab-token"];
/** GitHub sends no more than 25 MB, and a push with few commits is a few KiB. */
const MAX_BODY_BYTES = 1024 ** 2;

export const routes: Readonly<Record<string, Route>> = {
  "/healthz": {
    summary: "Readiness, where k8s-sidecar has it: 503 while /readyz is",
    query: {},
    answer: { ready: { type: "boolean" } },
  },
  "/api/v1/sync": {
    summary:
      "Syncs now, and answers when that is done. Open to webhooks that are signed with the secret of --push-secret-file",
    method: "POST",
    query: {},
    optionalQuery: { ...JOB, retry: "true: try what the application has refused, too" },
    headers: SIGNATURES,
    maxBodyBytes: MAX_BODY_BYTES,
    authenticatesItself: true,
    answer: { jobs },
    otherStatuses: { ...NO_JOB, 403: "Neither signed, nor with the token, nor from loopback" },
  },
  "/api/v1/rollback": {
    summary: "Publishes an older revision, and stays with it until resumed",
    method: "POST",
    query: {},
    optionalQuery: { ...JOB, to: "the revision; the one before the live one if it is left out" },
    answer: { jobs },
    otherStatuses: { ...NO_JOB, 409: "There is no such revision" },
  },
  "/api/v1/pause": {
    summary: "Publishes nothing until resumed",
    method: "POST",
    query: {},
    optionalQuery: JOB,
    answer: { jobs },
    otherStatuses: NO_JOB,
  },
  "/api/v1/resume": {
    summary: "Ends a pause, and what a rollback has pinned, and syncs",
    method: "POST",
    query: {},
    optionalQuery: JOB,
    answer: { jobs },
    otherStatuses: NO_JOB,
  },
};

const error = (status: number, problem: string): Record<string, unknown> => withStatus(status, { error: problem });

/** Answers for these jobs. */
export function answerers(all: readonly Job[], { options, metrics, readiness }: SyncContext): Record<string, Answerer> {
  const forJobs =
    (act: (job: Job, query: Readonly<Record<string, string>>) => Promise<unknown>): Answerer =>
    async (query) => {
      const chosen = query["job"] === undefined ? all : all.filter(({ name }) => name === query["job"]);
      if (chosen.length === 0)
        return error(404, `job: expected one of ${all.map(({ name }) => name).join(", ")}, got ${query["job"]}`);
      const failed = await Promise.all(chosen.map((job) => act(job, query))).then(
        () => undefined,
        (error: Error) => error.message,
      );
      return failed === undefined ? { jobs: chosen.map((job) => job.status()) } : error(409, failed);
    };
  const sync = forJobs((job, { retry }) => (retry === "true" ? job.retry() : job.sync()));
  return {
    "/healthz": () => withStatus(readiness.isReady() ? 200 : 503, { ready: readiness.isReady() }),
    "/api/v1/sync": async (query, asked) => {
      const isAllowed = asked.isPermitted || isSigned(asked, options.pushSecret);
      metrics.pushes.inc({ outcome: isAllowed ? "accepted" : "refused" });
      return isAllowed
        ? sync(query, asked)
        : error(403, "expected a signature of the secret of --push-secret-file, the token, or loopback");
    },
    "/api/v1/rollback": forJobs((job, { to }) => job.rollback(to)),
    "/api/v1/pause": forJobs((job) => job.pause()),
    "/api/v1/resume": forJobs((job) => job.resume()),
  };
}

/** GitHub signs the body (HMAC with SHA-256), GitLab sends the secret itself. */
export function isSigned({ headers, body }: Pick<Asked, "headers" | "body">, secret: Secret | undefined): boolean {
  if (secret === undefined) return false;
  const signature = headers["x-hub-signature-256"];
  if (signature !== undefined)
    return isSame(signature, `sha256=${createHmac("sha256", secret.reveal()).update(body).digest("hex")}`);
  const token = headers["x-gitlab-token"];
  return token !== undefined && isSame(token, secret.reveal());
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given, "latin1"), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
