import type { OptionKey } from './configuration-options.ts';
import type { Position } from './syntax-tree.ts';

/** Where the value of an option came from, and what its author calls the option. */
export interface OptionOrigin {
  readonly at: Position | null;
  readonly field: string;
}

export type OriginOf = (key: OptionKey) => OptionOrigin;
