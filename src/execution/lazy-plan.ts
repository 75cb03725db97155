import type { Plan } from './plan.js';
import type { Subject } from './subject.js';

/** The plan of a command or a pipeline, made when the application starts or on first use. */
export class LazyPlan {
  private made: Plan | undefined = undefined;
  /** Called when another plan replaces the one that was made. */
  onReplaced: () => void = () => {};

  constructor(
    readonly subject: Subject,
    private readonly make: (subject: Subject) => Plan,
  ) {}

  /** @throws {ResilienceConfigurationError} when it is made now and the configuration is wrong */
  get plan(): Plan {
    return (this.made ??= this.make(this.subject));
  }

  get planned(): boolean {
    return this.made !== undefined;
  }

  accept(plan: Plan): Plan {
    this.made = plan;
    this.onReplaced();
    return plan;
  }
}
