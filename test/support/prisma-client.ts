import { join } from 'node:path';
import { Pool, type PoolClient } from 'pg';

// A client of Prisma as `prisma generate` makes it for the schema below, without the generator: the runtime of the package, its
// query compiler, and a driver adapter, as `@prisma/adapter-pg` is one.

const RUNTIME = join(__dirname, '../../node_modules/@prisma/client/runtime');

const SCHEMA = `
  generator client {
    provider   = "prisma-client-js"
    engineType = "client"
  }
  datasource db {
    provider = "postgresql"
    url      = "postgres://unused"
  }
  model Book {
    id    Int    @id @default(autoincrement())
    title String @unique
  }
`;

const column = { kind: 'scalar', isList: false, isRequired: true, isReadOnly: false };
const autoincrement = { hasDefaultValue: true, default: { name: 'autoincrement', args: [] } };
const Book = {
  dbName: null,
  fields: [
    { ...column, name: 'id', type: 'Int', isId: true, isUnique: false, ...autoincrement },
    { ...column, name: 'title', type: 'String', isId: false, isUnique: true },
  ],
  primaryKey: null,
  uniqueFields: [],
  uniqueIndexes: [],
};

export interface Book {
  readonly id: number;
  readonly title: string;
}

/** The part of a generated client that is tested. */
export interface GeneratedClient {
  readonly book: {
    findMany(args?: { where?: Partial<Book> }): Promise<Book[]>;
    create(args: { data: Omit<Book, 'id'> }): Promise<Book>;
    count(): Promise<number>;
  };
  $connect(): Promise<void>;
  $disconnect(): Promise<void>;
  $queryRaw(text: TemplateStringsArray, ...values: unknown[]): Promise<unknown>;
  $transaction<T>(work: (client: GeneratedClient) => Promise<T>): Promise<T>;
  $transaction(queries: Promise<unknown>[]): Promise<unknown[]>;
}

interface Query {
  readonly sql: string;
  readonly args: unknown[];
}

/** The types of columns, as Postgres and as Prisma number them. */
const TYPES: Record<number, number> = { 20: 1, 23: 0, 25: 7 };

class Adapter {
  readonly provider = 'postgres';
  readonly adapterName = 'pg';

  constructor(protected readonly connection: Pick<Pool | PoolClient, 'query'>) {}

  async queryRaw(query: Query): Promise<object> {
    const { fields, rows } = await this.run(query);
    return {
      columnNames: fields.map(({ name }) => name),
      columnTypes: fields.map(({ dataTypeID }) => TYPES[dataTypeID] ?? 7),
      rows,
    };
  }

  async executeRaw(query: Query): Promise<number> {
    return (await this.run(query)).rowCount ?? 0;
  }

  private async run({ sql, args }: Query) {
    try {
      return await this.connection.query<unknown[]>({ text: sql, values: args, rowMode: 'array' });
    } catch (error) {
      throw toDriverError(error as Error & { code?: string });
    }
  }
}

class Transaction extends Adapter {
  readonly options = { usePhantomQuery: false };

  constructor(protected override readonly connection: PoolClient) {
    super(connection);
  }

  async commit(): Promise<void> {
    this.connection.release();
  }

  async rollback(): Promise<void> {
    this.connection.release();
  }
}

class PoolAdapter extends Adapter {
  constructor(private readonly pool: Pool) {
    super(pool);
  }

  async executeScript(script: string): Promise<void> {
    await this.pool.query(script);
  }

  async startTransaction(): Promise<Transaction> {
    const client = await this.pool.connect();
    await client.query('begin');
    return new Transaction(client);
  }

  async dispose(): Promise<void> {
    await this.pool.end();
  }
}

/** As `@prisma/adapter-pg` does. */
function toDriverError(error: Error & { code?: string }): Error {
  const cause =
    error.code === '23505'
      ? { kind: 'UniqueConstraintViolation', constraint: { fields: ['title'] } }
      : error.code === 'ECONNREFUSED'
        ? { kind: 'DatabaseNotReachable' }
        : undefined;
  if (cause === undefined) return error;
  return Object.assign(new Error(cause.kind), { name: 'DriverAdapterError', cause });
}

function runtime<T>(file: string): T {
  return require(join(RUNTIME, file)) as T;
}

const config = {
  runtimeDataModel: { models: { Book }, enums: {}, types: {} },
  generator: { config: { engineType: 'client' }, previewFeatures: [] },
  clientVersion: '6.19.3',
  engineVersion: '',
  relativePath: '',
  dirname: __dirname,
  datasourceNames: ['db'],
  activeProvider: 'postgresql',
  inlineSchema: SCHEMA,
  inlineSchemaHash: '',
  inlineDatasources: {},
  copyEngine: true,
  compilerWasm: {
    getRuntime: async () => runtime('query_compiler_bg.postgresql.js'),
    getQueryCompilerWasmModule: async () => {
      const { wasm } = runtime<{ wasm: string }>('query_compiler_bg.postgresql.wasm-base64.js');
      return new WebAssembly.Module(Buffer.from(wasm, 'base64'));
    },
  },
};

type Client = new (options: object) => GeneratedClient;

const Generated = runtime<{ getPrismaClient(given: object): Client }>('client.js').getPrismaClient(
  config,
);

/** Connects to `DATABASE_URL`. */
export class PrismaClient extends Generated {
  constructor() {
    const pool = new Pool({ connectionString: process.env.DATABASE_URL });
    pool.on('error', () => {}); // idle connections that are cut
    super({
      adapter: {
        provider: 'postgres',
        adapterName: 'pg',
        connect: async () => new PoolAdapter(pool),
      },
    });
  }
}
