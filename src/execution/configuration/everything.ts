/** The target of an override for everything. */
export const EVERYTHING = '*';
