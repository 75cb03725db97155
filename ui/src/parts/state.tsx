import type { Health } from '../model.js';

/** A sign and a word beside the colour, for those who cannot tell colours apart. */
const SIGNS: Record<Health['level'], string> = { bad: '●', warn: '▲', info: '◆', good: '✓' };

/** The state of a dependency. */
export function State({ health }: { readonly health: Health }) {
  return (
    <span class={`state ${health.level}`}>
      <span class="sign" aria-hidden="true">
        {SIGNS[health.level]}
      </span>
      {health.word}
    </span>
  );
}
