/** How commands fail: with one line that names the fault, and an exit code for its kind. */
import { SkeinError } from '../client/index.ts';
import { ConfigError, formatConfigError } from '../engine/config/config-error.ts';

export const ExitCode = {
  Ok: 0,
  Failure: 1,
  /** Wrong arguments, or a wrong configuration. */
  Usage: 2,
  /** Of `skein check`, as in Nagios: unknown. Its 1 and 2 mean warning and critical. */
  NagiosUnknown: 3,
  /** Ended by a second SIGINT, as a shell reports it. */
  Interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure that is reported by its message alone, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = ExitCode.Failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command has printed everything and ends with this code. */
export class QuietExit extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode) {
    super(`ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Codes of the client library for wrong arguments, not for faults of the daemon or the network. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'ILLEGAL_SPREAD',
  'ILLEGAL_GROUP',
  'ILLEGAL_SERVICE',
  'ILLEGAL_MESSAGE_TYPE',
  'ILLEGAL_PARAM',
  'REJECT_ILLEGAL_NAME',
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof ConfigError) return ExitCode.Usage;
  if (error instanceof SkeinError && USAGE_CODES.has(error.code)) return ExitCode.Usage;
  return ExitCode.Failure;
}

/** The message of an error without its stack; for a configuration, every problem with its place. */
export function describeFailure(error: unknown): string {
  if (error instanceof ConfigError) return formatConfigError(error);
  return error instanceof Error ? error.message : String(error);
}
