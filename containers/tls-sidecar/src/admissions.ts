// The connections that have been let in, and what makes them go again: another policy, another CA, the end of the client's
// certificate, or of the connection's own time.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TLSSocket } from "node:tls";

import type { Deadlines } from "@outrigger/http";
import type { Logger } from "@outrigger/runtime";

import { createAccessTable } from "./access.ts";
import type { AccessTable } from "./access.ts";
import { createLifetime } from "./lifetime.ts";
import type { Admitted, Client, Metrics } from "./listener.ts";
import type { Material } from "./material.ts";
import { CLOSE_REASONS } from "./metrics.ts";
import type { CloseReason } from "./metrics.ts";
import type { Policy, Values } from "./policy.ts";
import { createTrustCheck } from "./trust-check.ts";
import type { TrustCheck } from "./trust-check.ts";

/** Chains that are verified in one turn of the event loop: each costs some tenths of a millisecond. */
const CHAINS_PER_TURN = 32;

export type Admissions = {
  /** Takes note of a connection; `retire` ends it as gently as its protocol can. */
  admit(socket: TLSSocket, { client, access }: Admitted, retire: () => void): void;
  /** Judges everybody by this from now on. */
  update(material: Material, values: Values): void;
};

type Admission = { readonly client: Client | undefined; readonly name: string; close(reason: CloseReason): void };
type Settings = { values: Values; material: Material; metrics: Metrics; log: Logger };

export function createAdmissions({ values, material, metrics, log }: Settings, deadlines: Deadlines): Admissions {
  const counts = new Map(CLOSE_REASONS.map((reason) => [reason, metrics.closed.cell({ reason })]));
  const open = new Set<Admission>();
  const trust = createTrustChanges(open, createAccessTable(material, values), values.handshakeTimeout);
  const note = (reason: CloseReason, socket: TLSSocket): void => {
    counts.get(reason)!.add(1);
    log.debug({ reason, client: socket.remoteAddress }, "connection closed");
  };
  return { admit, update };

  function admit(socket: TLSSocket, { client, access }: Admitted, retire: () => void): void {
    // One that has closed already would never say so again.
    if (socket.destroyed) return;
    const admission: Admission = {
      client,
      name: access.name,
      close: (reason) => {
        if (!open.has(admission)) return;
        forget();
        note(reason, socket);
        socket.destroy();
      },
    };
    const lifetime = createLifetime({
      expiry: client?.identity.notAfter,
      lifetimeMs: values.maxConnectionLifetime,
      onExpired: () => admission.close("certificate_expired"),
      onLifeEnd: () => {
        note("max_lifetime", socket);
        retire();
      },
    });
    const forget = (): void => {
      open.delete(admission);
      deadlines.delete(lifetime);
    };
    open.add(admission);
    socket.once("close", forget);
    lifetime.onDeadline();
    if (lifetime.deadline > 0) deadlines.add(lifetime);
    const check = trust.doubtOf(access.name);
    if (check !== undefined && client !== undefined && !check(client.certificate)) admission.close("untrusted");
  }

  function update(next: Material, nextValues: Values): void {
    const table = createAccessTable(next, nextValues);
    const policies = new Map(table.all.map(({ name, policy }) => [name, policy]));
    for (const admission of open) {
      // A name that is not served any more takes its clients with it.
      const policy = policies.get(admission.name);
      const reason = policy === undefined ? "not_allowed" : objection(policy, admission.client);
      if (reason !== undefined) admission.close(reason);
    }
    trust.update(table);
  }
}

type TrustChanges = {
  /** The check for clients whose handshake may have begun under another CA; undefined when none has. */
  doubtOf(name: string): TrustCheck | undefined;
  /** Verifies the chains of those whose CA is another now. */
  update(table: AccessTable): void;
};

function createTrustChanges(open: ReadonlySet<Admission>, table: AccessTable, handshakeMs: number): TrustChanges {
  let cas = casOf(table);
  /** By server name, where the CA has changed since the start. */
  const checks = new Map<string, TrustCheck>();
  /** Until then a handshake may end that has begun with the CA before. */
  let doubtfulUntil = 0;
  return {
    doubtOf: (name) => (performance.now() < doubtfulUntil ? checks.get(name) : undefined),
    update: (next) => {
      const changed = [...casOf(next)].filter(([name, ca]) => cas.get(name) !== ca);
      cas = casOf(next);
      for (const [name, ca] of changed) {
        if (ca === undefined) continue;
        const check = createTrustCheck(ca);
        checks.set(name, check);
        doubtfulUntil = performance.now() + handshakeMs;
        const affected = [...open].filter((admission) => admission.name === name);
        void reviewChains(affected, check, () => checks.get(name) === check);
      }
    },
  };
}

const casOf = ({ all }: AccessTable): Map<string, string | undefined> => new Map(all.map(({ name, ca }) => [name, ca]));

/** Verifies everybody's chain, a few in each turn, for as long as no other CA has come. */
async function reviewChains(
  admissions: readonly Admission[],
  check: TrustCheck,
  isCurrent: () => boolean,
): Promise<void> {
  const withCertificate = admissions.filter(({ client }) => client !== undefined);
  for (const [index, { client, close }] of withCertificate.entries()) {
    if (index % CHAINS_PER_TURN === CHAINS_PER_TURN - 1) await nextTurn();
    if (!isCurrent()) return;
    if (!check(client!.certificate)) close("untrusted");
  }
}

/** Why a client that was let in would not be any more. */
function objection(policy: Policy, client: Client | undefined): CloseReason | undefined {
  if (policy.clientAuth === "none") return undefined;
  if (client === undefined) return policy.clientAuth === "require" ? "no_certificate" : undefined;
  const refusal = policy.refusalOf(client.identity, Date.now());
  if (refusal === undefined) return undefined;
  return refusal === "not_allowed" ? "not_allowed" : "certificate_expired";
}
