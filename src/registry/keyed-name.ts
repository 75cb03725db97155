/**
 * All ways to split `name[key]`. Names and keys may contain brackets, so any opening bracket may begin the key.
 */
export function* readingsOf(fullName: string): Generator<readonly [name: string, key: string]> {
  if (!fullName.endsWith(']')) return;
  for (let at = fullName.indexOf('['); at >= 0; at = fullName.indexOf('[', at + 1)) {
    yield [fullName.slice(0, at), fullName.slice(at + 1, -1)];
  }
}
