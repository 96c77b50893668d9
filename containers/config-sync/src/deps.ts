// What parts of a job are given of the world around them.

/** Variables of the environment, for what is rendered and for commands. */
export type Environment = Readonly<Record<string, string | undefined>>;
