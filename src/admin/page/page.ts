import { gunzipSync } from 'node:zlib';
import { AdminError } from '../admin-error.js';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly gzipped: Buffer;
  /** Whether its name changes with its content. */
  readonly lasting: boolean;
}

let loaded: Promise<ReadonlyMap<string, PageFile>> | undefined;

/**
 * A file of the page. They are read at the first request for one, as a module of the package, so that bundlers find them.
 *
 * @throws {AdminError} when there is no such file
 */
export async function pageFile(name: string): Promise<PageFile> {
  loaded ??= load();
  const file = (await loaded).get(name);
  if (file === undefined) throw new AdminError(404, 'NOT_FOUND', 'there is no such route');
  return file;
}

/** For clients that do not accept gzip. */
export function plain({ gzipped }: PageFile): Buffer {
  return gunzipSync(gzipped);
}

async function load(): Promise<ReadonlyMap<string, PageFile>> {
  const page = await import('./files.cjs').catch(() => {
    loaded = undefined; // it may be built while we run
    throw new AdminError(404, 'NOT_FOUND', 'the page has not been built; run `npm run build`');
  });
  return new Map(
    Object.entries(page.files).map(([name, { type, gzip }]) => [
      name,
      { type, gzipped: Buffer.from(gzip, 'base64'), lasting: /-[\w-]{8}\.\w+$/.test(name) },
    ]),
  );
}
