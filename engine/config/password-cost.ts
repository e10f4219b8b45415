/**
 * Cost of logins. The time of a login must not reveal whether a user exists or which cost its hash has, so each login computes one hash for
 * every cost in the password file.
 */
import { base64Bytes } from '../base64.ts';
import type { PasswordEntry } from './password-file.ts';

/** All that the time of one scrypt hash depends on. */
export interface LoginCost {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly saltBytes: number;
}

/** What `skein passwd` makes, and what a login costs where no user has a password. */
export const DEFAULT_LOGIN_COST: LoginCost = { cost: 16_384, blockSize: 8, parallelization: 1, saltBytes: 16 };

const costOf = ({ cost, blockSize, parallelization, salt }: PasswordEntry): LoginCost => ({
  cost,
  blockSize,
  parallelization,
  saltBytes: base64Bytes(salt) ?? 0,
});

export function sameCost(cost: LoginCost, entry: PasswordEntry): boolean {
  const other = costOf(entry);
  return (
    cost.cost === other.cost &&
    cost.blockSize === other.blockSize &&
    cost.parallelization === other.parallelization &&
    cost.saltBytes === other.saltBytes
  );
}

/** The different costs of these entries, in the order of the file; never empty. */
export function loginCosts(entries: Iterable<PasswordEntry>): readonly LoginCost[] {
  const costs: LoginCost[] = [];
  for (const entry of entries) if (!costs.some((cost) => sameCost(cost, entry))) costs.push(costOf(entry));
  return costs.length > 0 ? costs : [DEFAULT_LOGIN_COST];
}
