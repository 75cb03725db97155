/**
 * A standard decorator gets an object that describes the member, where a decorator of TypeScript's `experimentalDecorators`
 * gets its name. Nest has no standard decorators, and neither has this library.
 *
 * @param key the decorator's second argument
 * @throws {TypeError} when the decorator is used as a standard one: nothing would be protected
 */
export function refuseStandardDecorators(label: string, key: unknown): void {
  if (typeof key !== 'object' || key === null) return;
  throw new TypeError(
    `${label} is used as a standard decorator; set "experimentalDecorators": true in tsconfig.json, or the equivalent setting of your compiler; Nest needs it too`,
  );
}
