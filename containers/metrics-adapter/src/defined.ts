// Optional properties: one that is not there is not the same as one that is undefined.

/** The properties that are not undefined. */
export const defined = <T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
