import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { AdminAction } from '../../../src/admin/contract.js';
import { plural } from '../format.js';
import { access, act, askForToken, fleet } from '../store.js';

type Action = Exclude<AdminAction, 'configure'>;

interface Wanted {
  readonly action: Action;
  readonly name: string;
  /** Whether it is a breaker of the whole fleet. */
  readonly shared: boolean;
}

const wanted = signal<Wanted | undefined>(undefined);

const LABELS: Record<Action, string> = {
  'force-open': 'Force open',
  disable: 'Disable',
  'observe-only': 'Observe only',
  clear: 'Clear override',
  reset: 'Reset',
};

/** The effects, for an operator who does this once a year, at night. */
const EFFECTS: Record<Action, string> = {
  'force-open': 'Every call is rejected at once, and fallbacks answer, until the override ends.',
  disable: 'Every call is admitted, whatever happens; outcomes are still counted.',
  'observe-only': 'Every call is admitted; calls that would have been rejected are only reported.',
  clear: 'The circuit breaker decides by its own state again.',
  reset: 'The circuit closes and its counts start again. An override stays.',
};

/** `until`, in minutes; empty: until it is cleared. */
const TIMES = [
  ['15', '15 minutes'],
  ['60', '1 hour'],
  ['480', '8 hours'],
  ['', 'until it is cleared'],
] as const;

/** The actions on a breaker, for those who are allowed to use them. */
export function Actions({
  name,
  overridden,
  shared,
}: {
  readonly name: string;
  readonly overridden: boolean;
  readonly shared: boolean;
}) {
  if (access.value.readOnly) {
    return <p class="quiet">This page is read-only: the server refuses all changes.</p>;
  }
  const actions: Action[] = ['force-open', 'disable', 'observe-only', 'clear', 'reset'];
  return (
    <div class="bar" role="group" aria-label={`Actions on ${name}`}>
      {actions.map((action) => (
        <button
          key={action}
          type="button"
          class={action === 'force-open' ? 'danger' : ''}
          disabled={action === 'clear' && !overridden}
          onClick={() => (wanted.value = { action, name, shared })}
        >
          {LABELS[action]}
        </button>
      ))}
    </div>
  );
}

/** Asks for who, why and until when; there is one for the whole page. */
export function ActionDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const current = wanted.value;
  useEffect(() => {
    if (current !== undefined) dialog.current?.showModal();
  }, [current]);
  return (
    <dialog ref={dialog} aria-labelledby={TITLE} onClose={() => (wanted.value = undefined)}>
      {current && (
        <ActionForm
          key={`${current.action} ${current.name}`}
          {...current}
          close={() => dialog.current?.close()}
        />
      )}
    </dialog>
  );
}

/** The reach of a change of a shared breaker. */
function forWhom(): string {
  const { instances, moreInstances, degradedSince } = fleet.value ?? {
    instances: [],
    moreInstances: 0,
  };
  const living = instances.length + moreInstances;
  const all = living > 1 ? `: ${plural(living, 'instance')}` : '';
  const later = degradedSince === undefined ? '' : ' The others hear of it when the store is back.';
  return `This holds for the whole fleet${all}.${later}`;
}

/** The dialog's title. */
const TITLE = 'action-title';

/** A new one for each action, so that no input is left over from the last one. */
function ActionForm({ action, name, shared, close }: Wanted & { readonly close: () => void }) {
  const problem = useSignal('');
  const busy = useSignal(false);
  const shown = useRef(true);
  useEffect(() => () => void (shown.current = false), []);
  const limited = action === 'force-open' || action === 'disable' || action === 'observe-only';

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string): string => {
      const value = form.get(field);
      return typeof value === 'string' ? value.trim() : '';
    };
    busy.value = true;
    problem.value = '';
    const minutes = Number(text('minutes'));
    const answer = await act(name, action, {
      reason: text('reason'),
      ...(access.value.needsBy && { by: text('by') }),
      ...(limited && minutes > 0 && { until: `${minutes}m` }),
    });
    if (!shown.current) return; // the dialog was closed meanwhile
    busy.value = false;
    if (answer === undefined) {
      if (access.value.needsBy) localStorage.setItem('resilience:by', text('by'));
      close();
    } else {
      problem.value = answer.message;
      if (answer.status === 401) askForToken.value = true;
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <h2 id={TITLE}>
        {LABELS[action]}: {name}
      </h2>
      <p>{EFFECTS[action]}</p>
      {shared && (
        <p>
          <strong>{forWhom()}</strong>
        </p>
      )}
      {access.value.needsBy && (
        <label>
          Your name
          <input
            name="by"
            required
            maxLength={100}
            autocomplete="username"
            defaultValue={localStorage.getItem('resilience:by') ?? ''}
          />
        </label>
      )}
      <label>
        Reason
        <input name="reason" required maxLength={500} autocomplete="off" />
      </label>
      {limited && (
        <label>
          For how long
          <select name="minutes">
            {TIMES.map(([minutes, label]) => (
              <option key={label} value={minutes}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      <p role="alert">{problem}</p>
      <div class="bar">
        <button type="submit" class="strong" disabled={busy}>
          {LABELS[action]}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}
