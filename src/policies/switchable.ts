/** The options that all policies have in common. */
export interface Switchable {
  /**
   * Whether the policy is in force; the layers decide as for any other option, so a later one may switch on again what an
   * earlier one has switched off. The other options of a policy that is switched off are not checked. Default true.
   */
  readonly enabled?: boolean;
}
