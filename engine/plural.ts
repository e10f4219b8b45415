/** The form of a noun that fits a number: `byte` for 1, else `bytes`. */
export const plural = (count: number, noun: string, many = `${noun}s`): string => (count === 1 ? noun : many);
