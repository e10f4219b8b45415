/** What AllowedAuthMethods and RequiredAuthMethods come to (section 1.6). */
import { AUTH_METHODS, type AuthMethodName } from './configuration-options.ts';

export interface AuthSettings {
  readonly allowed: readonly AuthMethodName[];
  readonly required: readonly AuthMethodName[];
  /** Names that are no methods of ours; they count for nothing. */
  readonly unknown: readonly string[];
}

/**
 * With neither option set, NULL is allowed. Setting either drops NULL first; then the one enables the methods it
 * names, and the other makes methods mandatory without enabling them.
 */
export function authSettings(
  allowedNames: readonly string[] | undefined,
  requiredNames: readonly string[] | undefined,
): AuthSettings {
  if (allowedNames === undefined && requiredNames === undefined)
    return { allowed: ['NULL'], required: [], unknown: [] };
  const named = (names: readonly string[] = []): AuthMethodName[] =>
    AUTH_METHODS.filter((method) => names.includes(method));
  const known: readonly string[] = AUTH_METHODS;
  const unknown = [...(allowedNames ?? []), ...(requiredNames ?? [])].filter((name) => !known.includes(name));
  return { allowed: named(allowedNames), required: named(requiredNames), unknown: [...new Set(unknown)] };
}
