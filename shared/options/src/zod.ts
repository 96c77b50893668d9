// zod, for containers with structured values, as `import * as z`: only what is used of it then gets into their bundle.
export * from "zod";
