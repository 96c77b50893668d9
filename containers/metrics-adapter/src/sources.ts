// All kinds of sources, and the sources that a configuration asks for.
import * as z from "@outrigger/options/zod";

import type { SourceKind } from "./source.ts";
import { graphite } from "./sources/graphite.ts";
import { haproxy } from "./sources/haproxy.ts";
import { json } from "./sources/json/source.ts";
import { log } from "./sources/log/source.ts";
import { memcached } from "./sources/memcached/source.ts";
import { nginx } from "./sources/nginx.ts";
import { phpFpm } from "./sources/php-fpm/source.ts";
import { postgres } from "./sources/postgres/source.ts";
import { prometheus } from "./sources/prometheus/source.ts";
import { redis } from "./sources/redis/source.ts";
import { statsd } from "./sources/statsd/source.ts";
import { text } from "./sources/text/source.ts";

/** Settings of every kind are checked by its own schema before it is made, so that here their type does not matter. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnySourceKind = SourceKind<any>;

export const SOURCE_KINDS: readonly AnySourceKind[] = [
  redis,
  nginx,
  memcached,
  haproxy,
  prometheus,
  json,
  statsd,
  graphite,
  phpFpm,
  log,
  text,
  postgres,
];

export const sourceKind = (type: string): AnySourceKind | undefined => SOURCE_KINDS.find((kind) => kind.type === type);

/** What every source has beside its kind's own settings. */
const common = {
  name: z.string().min(1).max(64).optional(),
  labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string()).default({}),
};

type Shape = { readonly shape: Record<string, z.ZodType> };
const shapeOf = ({ schema }: AnySourceKind): Shape["shape"] => (schema as unknown as Shape).shape;

const variants = SOURCE_KINDS.map((kind) =>
  z.strictObject({ type: z.literal(kind.type), ...common, ...shapeOf(kind) }),
);

/** An entry of `sources`. */
export type SourceEntry = {
  readonly type: string;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
} & Readonly<Record<string, unknown>>;

export const sourceEntry = z.discriminatedUnion("type", variants as never) as unknown as z.ZodType<
  SourceEntry,
  unknown
>;
