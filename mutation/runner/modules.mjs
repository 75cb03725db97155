// Loads sources and specs, compiled as Jest compiles them. Each registry has modules of its own, like each spec file under
// Jest; what is in node_modules is loaded once per process.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { Script, constants } from 'node:vm';

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname', 'jest'];

/** Compiles the files of a folder; each once per process, and once per content. */
export class Compiler {
  #scripts = new Map();

  constructor(root) {
    this.root = root;
    const require = createRequire(join(root, 'package.json'));
    const { moduleNameMapper, transform } = require('./jest.config.cjs');
    this.mapped = Object.entries(moduleNameMapper).map(([pattern, target]) => [
      new RegExp(pattern),
      target.replace('<rootDir>', root),
    ]);
    this.options = transform['^.+\\.(t|j)s$'][1];
    this.swc = require('@swc/core');
    this.cache = join(root, '.compiled');
    mkdirSync(this.cache, { recursive: true });
  }

  /** The function around a module. */
  load(file) {
    let script = this.#scripts.get(file);
    if (!script) {
      const source = `(function (${PARAMETERS.join(', ')}) {${this.#compiled(file)}\n})`;
      const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
      script = new Script(source, { filename: file, importModuleDynamically });
      this.#scripts.set(file, script);
    }
    return script.runInThisContext();
  }

  #compiled(file) {
    const source = readFileSync(file, 'utf8');
    const hash = createHash('sha256').update(file).update(source).digest('hex');
    const cached = join(this.cache, `${hash}.js`);
    if (existsSync(cached)) return readFileSync(cached, 'utf8');
    const options = { ...this.options, sourceMaps: false, swcrc: false, configFile: false };
    const { code } = this.swc.transformSync(source, { ...options, filename: file });
    // Two workers may be writing it.
    const written = `${cached}.${process.pid}`;
    writeFileSync(written, code);
    renameSync(written, cached);
    return code;
  }
}

const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

export class Modules {
  #modules = new Map();
  /** The mocks of modules, by the files or names of these. */
  #mocks = new Map();

  /** @param makeJest makes the `jest` object of a module out of the functions for modules that it has */
  constructor(compiler, makeJest) {
    this.compiler = compiler;
    this.makeJest = makeJest;
  }

  load(file) {
    const known = this.#modules.get(file);
    if (known) return known.exports;
    const module = { exports: {}, id: file, filename: file };
    this.#modules.set(file, module);
    const native = createRequire(file);
    const idOf = (name) => this.#resolve(name, file) ?? name;
    const requireActual = (name) => {
      const found = this.#resolve(name, file);
      return found ? this.load(found) : native(name);
    };
    const require = (name) => {
      const make = this.#mocks.get(idOf(name));
      return make ? make() : requireActual(name);
    };
    require.resolve = (name) => this.#resolve(name, file) ?? native.resolve(name);
    const jest = this.makeJest({
      requireActual,
      isolateModules: (load) => this.#isolated(load),
      isolateModulesAsync: (load) => this.#isolatedAsync(load),
      doMock: (name, make) => void this.#mocks.set(idOf(name), make),
      dontMock: (name) => void this.#mocks.delete(idOf(name)),
    });
    try {
      const run = this.compiler.load(file);
      run.call(module.exports, module.exports, require, module, file, dirname(file), jest);
    } catch (error) {
      this.#modules.delete(file);
      throw error;
    }
    return module.exports;
  }

  #isolated(load) {
    const modules = this.#modules;
    this.#modules = new Map();
    try {
      load();
    } finally {
      this.#modules = modules;
    }
  }

  async #isolatedAsync(load) {
    const modules = this.#modules;
    this.#modules = new Map();
    try {
      await load();
    } finally {
      this.#modules = modules;
    }
  }

  /** The TypeScript file of ours that a name means; `undefined` for all others. */
  #resolve(name, from) {
    let path;
    if (name.startsWith('.')) path = resolve(dirname(from), name);
    for (const [pattern, target] of path ? [] : this.compiler.mapped) {
      if (pattern.test(name)) path = name.replace(pattern, target);
    }
    if (!path) return undefined;
    const base = path.replace(/\.(js|ts)$/, '');
    return [`${base}.ts`, join(path, 'index.ts')].find(isFile);
  }
}
