/** Milliseconds on a clock that is the same for all processes of the machine. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
