import type { Plan } from './plan.js';
import type { Subject } from './subject.js';

/** A command or a pipeline, whose plan is made when the application starts, or when it is first used. */
export class LazyPlan {
  private made: Plan | undefined = undefined;

  constructor(
    readonly subject: Subject,
    private readonly make: (subject: Subject) => Plan,
  ) {}

  /** @throws {ResilienceConfigurationError} when it is not configured well */
  get plan(): Plan {
    return (this.made ??= this.make(this.subject));
  }

  get planned(): boolean {
    return this.made !== undefined;
  }

  accept(plan: Plan): Plan {
    return (this.made = plan);
  }
}
