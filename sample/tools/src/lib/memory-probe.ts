/**
 * Loaded into a process of the experiment beside its own code (`node --expose-gc --import`): tells the
 * parent, when asked, how much memory is in use after a garbage collection.
 */
process.on('message', (question) => {
  if (question === 'memory') {
    globalThis.gc?.();
    process.send?.(process.memoryUsage());
  }
});
process.channel?.unref();
