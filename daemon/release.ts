/** Which release of skein this is. Bundled with the code, so that it stays right where a program bundles the package into its own. */
import packageJson from '../package.json' with { type: 'json' };

/** `version` of the package. */
export const packageRelease = (): string => packageJson.version;
