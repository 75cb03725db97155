/** The part that requests of Express and Fastify share. */
interface BookRequest {
  readonly params: { readonly id: string };
}

/**
 * The cache key for answers of `GET /books/:id`. A handler has to name its key, because its answer may
 * depend on the caller; this one depends only on the id.
 */
export function bookKey({ params }: BookRequest): string {
  return params.id;
}
