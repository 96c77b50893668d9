// Patterns that users write: regular expressions that cannot hang the process, and grok.
export { compileGrok } from "./grok.ts";
export type { GrokSettings } from "./grok.ts";
export { compilePattern, MAX_PATTERN_LENGTH, PatternError } from "./pattern.ts";
export type { Field, FieldType, FieldValue, Pattern, PatternSettings } from "./pattern.ts";
