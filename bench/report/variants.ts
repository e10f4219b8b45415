/** Systems that are another one in a different configuration: they are compared with that, not with the rest of the world. */
export const isVariant = (systemId: string): boolean =>
  /^(skein-.+|spread-original|mosquitto-qos1|corosync-udpu)$/.test(systemId);

export const isThreadingMode = (systemId: string): boolean => /^skein-(dedicated|shared|inline)/.test(systemId);
