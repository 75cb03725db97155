import { Observable, type Observer, type Operator, Subscriber } from 'rxjs';
import { notify } from './notify.js';

/** Receives the errors of subscribers. */
type Report = (error: unknown, culprit: object) => void;

/**
 * An Observable whose subscribers may throw, as may those of its derived Observables: RxJS would turn their errors into
 * uncaught exceptions, which end the process.
 */
export class EventStream<T> extends Observable<T> {
  constructor(
    private readonly report: Report,
    begin?: (subscriber: Subscriber<T>) => () => void,
  ) {
    super(begin);
  }

  /** Called by operators. */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new EventStream<R>(this.report);
    lifted.source = this;
    lifted.operator = operator;
    return lifted;
  }

  override subscribe(
    given?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): ReturnType<Observable<T>['subscribe']> {
    if (given instanceof Subscriber) return super.subscribe(given); // an operator
    const observer =
      typeof given === 'function' || !given
        ? { next: given ?? undefined, error: error ?? undefined, complete: complete ?? undefined }
        : given;
    return super.subscribe(this.quiet(observer));
  }

  private quiet(observer: Partial<Observer<T>>): Observer<T> {
    const report = (error: unknown): void => this.report(error, observer);
    return {
      next: (value) => notify((each: T) => observer.next?.(each), value, report),
      error: (error: unknown) => {
        if (observer.error === undefined) report(error);
        else notify((each: unknown) => observer.error?.(each), error, report);
      },
      complete: () => notify(() => observer.complete?.(), undefined, report),
    };
  }
}
