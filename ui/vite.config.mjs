import { defineConfig } from 'vite';

// The page is at …/ui, its files below …/ui/: relative, so that any prefix and any proxy will do.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: '../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy forbids `data:` addresses.
    assetsInlineLimit: 0,
    assetsDir: 'ui',
    modulePreload: { polyfill: false },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
