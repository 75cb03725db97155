// Adds to package-lock.json the platform packages that `npm install` left out.
//
// Packages such as @swc/core list one optional package per platform. A registry mirror that serves
// only some platforms makes npm write an incomplete lock, and `npm ci` then refuses it everywhere.
// The parent names each platform package with an exact version, so the entry can be written without
// asking a registry; it has no integrity hash, all other entries keep theirs.
//
//   node scripts/complete-lock.mjs [--check] [package-lock.json ...]
import { readFileSync, writeFileSync } from 'node:fs';

const args = process.argv.slice(2);
const check = args.includes('--check');
const files = args.filter((arg) => !arg.startsWith('--'));
if (files.length === 0) files.push('package-lock.json');

const OS = /\b(darwin|linux|win32|freebsd|android|openharmony|netbsd|openbsd|sunos|aix)\b/;
const CPU = /\b(arm64|x64|ia32|arm|ppc64|s390x|riscv64|loong64|mips64el)\b/;
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

let incomplete = false;
for (const file of files) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const added = [];
  for (const [parentPath, parent] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (isInstalled(lock.packages, parentPath, name)) continue;
      const platform = platformOf(name);
      if (!platform || !EXACT.test(version)) continue;
      lock.packages[`node_modules/${name}`] = {
        version,
        ...platform,
        ...(parent.dev ? { dev: true } : {}),
        optional: true,
      };
      added.push(name);
    }
  }
  if (added.length === 0) {
    console.log(`${file}: complete`);
  } else if (check) {
    incomplete = true;
    console.error(
      `${file}: lacks ${added.join(', ')}; run: node scripts/complete-lock.mjs ${file}`,
    );
  } else {
    lock.packages = Object.fromEntries(
      Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
    );
    writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
    console.log(`${file}: added ${added.join(', ')}`);
  }
}
if (incomplete) process.exitCode = 1;

/** Looks a dependency up the way Node does: in the parent's node_modules, then one level up, and so on. */
function isInstalled(packages, parentPath, name) {
  for (let path = parentPath; ; path = path.slice(0, path.lastIndexOf('node_modules/'))) {
    const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
    if (packages[`${prefix}node_modules/${name}`]) return true;
    if (!path.includes('node_modules/')) return false;
    path = path.replace(/\/$/, '');
  }
}

function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, '').replaceAll(/[/_]/g, '-');
  const os = OS.exec(words)?.[1];
  const cpu = CPU.exec(words)?.[1];
  if (!os || !cpu) return undefined;
  const libc =
    os !== 'linux'
      ? undefined
      : /musl/.test(words)
        ? 'musl'
        : /gnu/.test(words)
          ? 'glibc'
          : undefined;
  return { cpu: [cpu], ...(libc ? { libc: [libc] } : {}), os: [os] };
}
