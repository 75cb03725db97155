import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { brand } from '../common/brand.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { show } from '../common/printable.js';
import type { ProtectOptions } from './options.js';
import { isObject } from './paths.js';
import { type Protection, announce, isReplaced } from './protected-tokens.js';
import type { GivenOptions, Protections } from './protections.js';

/** Injection token of the {@link Protections}. */
export const PROTECTIONS = brand('Protections');

/** Makes these providers distinct in Nest 10, which compares modules by their text. */
let count = 0;

/** The type behind a token: the instance type of a class; unknown for other tokens. */
type Instance<Token> = Token extends abstract new (...args: never) => infer T
  ? T
  : Record<string, () => Promise<unknown>>;

/**
 * Protects the provider of an injection token, as `ResilienceService.protect()` does: an SDK client, a repository,
 * `PrismaClient`, a `ClientProxy`. List it among the providers of the module that provides the token, or import it with
 * `ResilienceModule.forFeature()` into a module that gets the token from another one. Every class that injects the
 * token gets the protected object.
 *
 * Problems with the options, and unknown tokens, are reported when the application starts.
 *
 * @param token a class, string or symbol; its provider may be of any kind and scope
 *
 * @example
 * \@Module({
 *   providers: [
 *     { provide: S3Client, useFactory: () => new S3Client({}) },
 *     protectProvider(S3Client, { name: 's3', methods: { send: { retry: {}, timeout: '2s' } } }),
 *   ],
 *   exports: [S3Client],
 * })
 * export class StorageModule {}
 */
export function protectProvider<Token extends InjectionToken>(
  token: Token,
  options: ProtectOptions<Instance<Token>>,
): FactoryProvider;
/** The same for a token other than a class, when the type behind it is known. */
export function protectProvider<T extends object>(
  token: InjectionToken,
  options: ProtectOptions<T>,
): FactoryProvider;
export function protectProvider(token: InjectionToken, options: unknown): FactoryProvider {
  const given = options as GivenOptions;
  const title = `protectProvider(${nameOf(token)})`;
  const needs = { token: PROTECTIONS, optional: true };
  const protection: Protection = {
    token,
    replace: (original) => ({
      provide: token,
      inject: [original, needs],
      useFactory: (value: unknown, protections: Protections | undefined) =>
        required(protections, title).provide(value, given, title),
    }),
  };
  const useFactory = (modules: ModulesContainer, protections: Protections | undefined): object => {
    const known = required(protections, title);
    known.define(given);
    if (!isReplaced(modules, protection)) {
      known.report([
        `${title}: no provider has this token; list protectProvider() in the module that provides it, or in imports as ResilienceModule.forFeature([protectProvider(…)]) in a module that can inject it`,
      ]);
    }
    return protection;
  };
  announce(useFactory, protection);
  count += 1;
  const provide = Symbol(`nest-resilience:${title} ${count}`);
  return { provide, inject: [ModulesContainer, needs], useFactory };
}

function required(protections: Protections | undefined, title: string): Protections {
  if (protections !== undefined) return protections;
  throw new ResilienceConfigurationError([
    `${title}: ResilienceModule.forRoot() is not imported; import it in the root module`,
  ]);
}

function nameOf(token: InjectionToken): string {
  return isObject(token) ? ((token as Function).name ?? show(token)) : String(token);
}
