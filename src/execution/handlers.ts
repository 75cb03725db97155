import type { Site } from './site.js';

/** Metadata that Nest's packages put on the methods for which they run interceptors. */
const HANDLER_METADATA = [
  'path', // @nestjs/common: routes
  'microservices:pattern',
  'websockets:message_mapping',
  'graphql:resolver_type', // queries, mutations, subscriptions; fields have none
];

/** Whether Nest calls the method with what came from outside, through interceptors. */
export function isHandler(site: Site, owner: Function): boolean {
  const method: unknown = (owner.prototype as Record<string | symbol, unknown> | undefined)?.[
    site.key
  ];
  return (
    typeof method === 'function' && HANDLER_METADATA.some((key) => Reflect.hasMetadata(key, method))
  );
}
