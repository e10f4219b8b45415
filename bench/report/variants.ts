/** Variants are another system in a different configuration. They are compared only with that system. */
export const isVariant = (systemId: string): boolean =>
  /^(skein-.+|spread-original|mosquitto-qos1|corosync-udpu)$/.test(systemId);

export const isThreadingMode = (systemId: string): boolean => /^skein-(dedicated|shared|inline)/.test(systemId);
