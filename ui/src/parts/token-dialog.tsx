import { useEffect, useRef } from 'preact/hooks';
import { askForToken, connect, token } from '../store.js';

/** Asks for a bearer token where the server's guard wants one. It is kept for this tab only. */
export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = askForToken.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('token');
    token.value = typeof given === 'string' ? given.trim() : '';
    askForToken.value = false;
    connect();
  };
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onClose={() => (askForToken.value = false)}>
      <form onSubmit={submit}>
        <h2 id="token-title">Access token</h2>
        <p>It is sent as “Authorization: Bearer …” and forgotten when this tab is closed.</p>
        <label>
          Token
          <input
            name="token"
            type="password"
            autocomplete="current-password"
            defaultValue={token.value}
          />
        </label>
        <div class="bar">
          <button type="submit" class="strong">
            Use it
          </button>
          <button type="button" onClick={() => (askForToken.value = false)}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
