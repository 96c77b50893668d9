// Readiness is a set of named conditions: ready when all hold. Each change of state is one log line.
import type { Logger } from "./logger.ts";

export type Condition = { readonly name: string; readonly ok: boolean; readonly reason: string };

export type Readiness = {
  /** States a condition; the reason says why it does not hold. */
  set(name: string, ok: boolean, reason?: string): void;
  /** Says what is wrong although the condition holds: shown as its reason, and no cause to be not ready. */
  remark(name: string, remark: string | undefined): void;
  isReady(): boolean;
  conditions(): Condition[];
};

export function createReadiness(log: Logger, onChange: (ready: boolean) => void): Readiness {
  const conditions = new Map<string, Condition>([["started", { name: "started", ok: false, reason: "starting" }]]);
  const remarks = new Map<string, string>();
  let ready = false;
  // Until the start is over, what does not hold yet is nothing to look at.
  const report = (name: string, ok: boolean, reason: string): void => {
    if (ok) log.info({ condition: name }, "condition holds");
    else log[conditions.get("started")!.ok ? "warn" : "info"]({ condition: name, reason }, "condition does not hold");
  };
  return {
    set: (name, ok, reason = "") => {
      const before = conditions.get(name);
      conditions.set(name, { name, ok, reason: ok ? "" : reason });
      if (before?.ok !== ok || before.reason !== (ok ? "" : reason)) report(name, ok, reason);
      const now = [...conditions.values()].every((condition) => condition.ok);
      if (now === ready) return;
      ready = now;
      log.info({ ready }, "readiness changed");
      onChange(ready);
    },
    remark: (name, remark) => void (remark === undefined ? remarks.delete(name) : remarks.set(name, remark)),
    isReady: () => ready,
    conditions: () =>
      [...conditions.values()].map((one) => (one.ok ? { ...one, reason: remarks.get(one.name) ?? "" } : one)),
  };
}
