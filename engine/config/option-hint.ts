import { suggestion } from './did-you-mean.ts';

/** What follows `unknown option "name"`: the name that was probably meant, else where all names are. */
export const optionHint = (name: string, known: Iterable<string>): string => {
  const hint = suggestion(name, known);
  return hint === '' ? '; "skein conf options" lists all options' : hint;
};
