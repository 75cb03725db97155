import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Whether a program is in PATH; it has to know `--version`. */
export async function isInstalled(program: string): Promise<boolean> {
  const child = spawn(program, ['--version'], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** A server of the experiment's own: one process at a time. */
export class OwnProcess {
  private child: ChildProcess | undefined;

  constructor(private readonly program: string) {}

  get running(): boolean {
    const { child } = this;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Its output is dropped, except its errors. */
  start(args: readonly string[]): void {
    this.child = spawn(this.program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child !== undefined && this.running) {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
    this.child = undefined;
  }

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }
}
