/** What the generated parser returns: the structure of a spread.conf file, nothing judged yet. Lines and columns are 1-based. */

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One word as written, without its quotes. */
export interface Word extends Position {
  readonly text: string;
  readonly quoted: boolean;
  /** Length in the file, quotes included. */
  readonly lengthChars: number;
}

export interface InterfaceEntry {
  /** Letters `C`, `D`, `M`; empty means all uses. */
  readonly uses: readonly Word[];
  readonly address: Word;
}

export interface HostEntry {
  /** The address itself where the entry has no name. */
  readonly name: Word;
  /** Null: the name has to be resolved. */
  readonly address: Word | null;
  /** `VirtualID` of Spread 5; null: none. */
  readonly virtualId: Word | null;
  /** Null: no interface block. Never empty. */
  readonly interfaces: readonly InterfaceEntry[] | null;
}

export interface SegmentItem {
  readonly kind: 'segment';
  readonly address: Word;
  /** Further addresses of the segment, as Spread 5 has them. */
  readonly otherAddresses: readonly Word[];
  readonly hosts: readonly HostEntry[];
}

export interface WordValue {
  readonly kind: 'word';
  readonly word: Word;
}

/** `{ A B !C }`. */
export interface ListValue extends Position {
  readonly kind: 'list';
  readonly words: readonly Word[];
}

export interface OptionItem {
  readonly kind: 'option';
  readonly name: Word;
  /** Null: written without `=`. */
  readonly value: WordValue | ListValue | null;
}

export interface RouteMatrixItem {
  readonly kind: 'routeMatrix';
  readonly keyword: Word;
  readonly rows: readonly (readonly Word[])[];
}

export type ConfigItem = SegmentItem | OptionItem | RouteMatrixItem;
