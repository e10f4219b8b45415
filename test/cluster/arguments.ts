/** Values of command-line options. */

export function numberBetween(low: number, high: number, isWhole: boolean): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value >= low && value <= high) || (isWhole && !Number.isInteger(value)))
      throw new Error(`${text}: must be a${isWhole ? ' whole' : ''} number from ${low} to ${high}`);
    return value;
  };
}
