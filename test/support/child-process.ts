import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Options, transformSync } from '@swc/core';

const root = join(__dirname, '..', '..');

const options: Options = {
  module: { type: 'commonjs' },
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
};

/** The library, compiled for separate processes, where no test framework has touched anything. */
export class CompiledLibrary {
  /** Inside the repository, so that packages are found. */
  private readonly folder: string;

  constructor() {
    const parent = join(root, 'node_modules', '.cache');
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, 'nest-resilience-'));
    const source = join(root, 'src');
    for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
      this.write(file, readFileSync(join(source, file), 'utf8'));
    }
  }

  /** Runs a script, written in TypeScript, whose imports start at `src`: `./index.js`. */
  run(name: string, script: string, ...args: string[]): ChildProcess {
    const file = this.write(`${name}.ts`, script);
    return spawn(process.execPath, ['--no-warnings', file, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private write(file: string, code: string): string {
    const target = join(this.folder, relative('', file).replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transformSync(code, { ...options, filename: file }).code);
    return target;
  }
}

/** The output of a process that has succeeded; throws its errors otherwise. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  let errors = '';
  child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`ended with ${String(code)}: ${errors}`);
  return output;
}
