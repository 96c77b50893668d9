// A small Redis client for asking a server about itself: one connection, bounded in time and size, both protocols.
export { connectRedis } from "./connection.ts";
export type { RedisConnection, RedisSettings, RedisTls } from "./connection.ts";
export { RedisError } from "./reply.ts";
export type { Reply } from "./reply.ts";
export { createReplyReader } from "./reply-reader.ts";
export type { ReplyReader } from "./reply-reader.ts";
export { parseRedisUrl } from "./url.ts";
export type { RedisUrl } from "./url.ts";
