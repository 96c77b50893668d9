// The option language: one table gives flags, variables, file keys, usage, documentation and schemas.
export { formatAddress, isLoopbackHost, parseAddress, staysOnMachine } from "./address.ts";
export type { Address } from "./address.ts";
export type { CommandLine } from "./command.ts";
export { commandsMarkdown, jsonSchemaOf, markdownOf, printConfig, usageOf, usageOfCommand } from "./describe.ts";
export { list, objects, structured } from "./compound-kinds.ts";
export type { AdoptFile } from "./file.ts";
export { ACTIONS } from "./flags.ts";
export type { Action } from "./flags.ts";
export { address, boolean, bytes, choice, duration, integer, integerOr, path, ratio, secret, text } from "./kinds.ts";
export type { Kind } from "./kinds.ts";
export { nearest } from "./nearest.ts";
export { configOption, resolveOptions, show } from "./resolve.ts";
export type { Resolution, Surroundings } from "./resolve.ts";
export { REDACTED, Secret } from "./secret.ts";
export { option, prefixOf, spell } from "./table.ts";
export type { Option, OptionTable, ValuesOf } from "./table.ts";
export { formatBytes, formatDuration } from "./units.ts";
export * as z from "zod";
