import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import {
  type ClientGrpcProxy,
  ClientProxyFactory,
  type GrpcOptions,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { type Booted, appModule, quiet, watch } from './boot.js';
import { freePort } from './http.js';

/** Starts a gRPC server, and makes a client of it. @param name of the package, and of its file in `test/corners` */
export async function startGrpc(
  name: string,
  parts: Parameters<typeof appModule>[0],
): Promise<{ server: Booted; client: ClientGrpcProxy }> {
  const transport: GrpcOptions = {
    transport: Transport.GRPC,
    options: {
      package: name,
      protoPath: join(__dirname, `../corners/${name}.proto`),
      url: `127.0.0.1:${await freePort()}`,
    },
  };
  const { AppModule, clock } = appModule(parts);
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
    ...quiet,
    ...transport,
  });
  await app.listen();
  const client = ClientProxyFactory.create(transport) as unknown as ClientGrpcProxy;
  return { server: { app, clock, ...watch(app) }, client };
}
