// Following files that others write and rotate, from where it was left off; and cutting bytes into lines.
export { followFiles } from "./following.ts";
export type { FollowedInput, FollowingSettings } from "./following.ts";
export { createLineCutter } from "./lines.ts";
export type { LineCutter, OnLine } from "./lines.ts";
export { createLineSink } from "./sink.ts";
export type { Sink } from "./sink.ts";
