import { render } from 'preact';
import { App } from './app.js';
import { connect } from './store.js';
import './style.css';

render(<App />, document.getElementById('app')!);
connect();
// A laptop that wakes up, or a tab that is shown again, should not wait for the next attempt.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') connect();
});
