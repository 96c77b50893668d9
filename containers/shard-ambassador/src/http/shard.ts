// One shard that speaks HTTP: an upstream with a name, what is known of its health, and what is counted for it.
import { Upstream } from "@outrigger/http";
import type { Deadlines, UpstreamSettings } from "@outrigger/http";
import { formatAddress } from "@outrigger/options";

import type { ShardCounters } from "../proxy/shard-counts.ts";
import { WORDS } from "../proxy/shard-failures.ts";
import type { ShardFailure } from "../proxy/shard-failures.ts";
import type { ShardStatus } from "../proxy/shard.ts";
import type { Health, HealthSettings } from "./health.ts";
import { watchHealth } from "./health.ts";

export type HttpShardSettings = Omit<HealthSettings, "onState"> &
  UpstreamSettings & {
    readonly name: string;
    readonly deadlines: Deadlines;
    readonly counters: ShardCounters;
    onState: HealthSettings["onState"];
  };

export class HttpShard extends Upstream {
  readonly name: string;
  readonly #counters: ShardCounters;
  readonly #health: Health;
  #served = 0;

  constructor(settings: HttpShardSettings) {
    const { name, address, counters, deadlines, onState } = settings;
    super(address, settings, deadlines);
    this.name = name;
    this.#counters = counters;
    counters.up.set(0);
    this.#health = watchHealth({
      ...settings,
      onState: (isUp, reason) => {
        counters.up.set(isUp ? 1 : 0);
        onState(isUp, reason);
      },
    });
  }

  failures(): number {
    return this.#health.failures();
  }

  /** Why it is not asked at present, or undefined. */
  whyDown(): string | undefined {
    const { up, reason } = this.#health.state();
    return up || this.#health.failures() === 0 ? undefined : reason;
  }

  /** It gets a request. */
  onRequest(): void {
    this.#counters.requests.add(1);
    this.#served++;
  }

  /** Its response has come after so many seconds. */
  onResponse(seconds: number): void {
    this.#counters.duration.observe(seconds);
    if (this.#health.failures() > 0) this.#health.succeed();
  }

  onFailure(reason: ShardFailure): void {
    this.#counters.errors[reason].add(1);
    if (reason !== "down") this.#health.fail(WORDS[reason]);
  }

  status(): ShardStatus {
    return {
      name: this.name,
      address: formatAddress(this.address),
      ...this.#health.state(),
      inFlight: this.lent,
    };
  }

  served(): number {
    return this.#served;
  }

  setEjected(isEjected: boolean): void {
    this.#counters.ejected.set(isEjected ? 1 : 0);
    if (isEjected) this.#counters.ejections.add(1);
  }

  publish(): void {
    this.#counters.inFlight.set(this.lent);
  }

  override close(): void {
    this.#health.stop();
    super.close();
  }
}
