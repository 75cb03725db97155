/** What a request of Express and Fastify have in common. */
interface BookRequest {
  readonly params: { readonly id: string };
}

/**
 * What the answer of `GET /books/:id` is kept under. A handler has to say it, because what it answers
 * may depend on who asks; this one depends on the id alone.
 */
export function bookKey({ params }: BookRequest): string {
  return params.id;
}
