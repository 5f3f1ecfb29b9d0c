/** What is in force of every setting, and who says so. */
import type { ConfigFile, Environment } from './config-file.ts';
import { clientUrl, SETTINGS } from './settings.ts';

export interface InForce {
  readonly key: string;
  readonly value: string | number;
  readonly from: 'flag' | 'environment' | 'file' | 'default';
  readonly variable: string;
  readonly flag: string;
  readonly what: string;
}

export interface Layers {
  /** By key. */
  readonly flags: { readonly [key: string]: string | number | undefined };
  readonly environment: Environment;
  readonly file: ConfigFile | 'none';
}

/** Flags win over the environment, that over the file, that over the defaults. */
export function inForce({ flags, environment, file }: Layers): readonly InForce[] {
  const settings = SETTINGS.map(({ key, variable, flag, fallback, what }) => {
    const said = [
      { from: 'flag', value: flags[key] },
      { from: 'environment', value: environment[variable] },
      { from: 'file', value: file === 'none' ? undefined : file.values[key] },
    ] as const;
    const first = said.find(({ value }) => value !== undefined);
    const { from, value } = first ?? { from: 'default' as const, value: fallback };
    return { key, value: value ?? fallback, from, variable, flag, what };
  });
  const address = Object.fromEntries(settings.map(({ key, value }) => [key, value]));
  return settings.map((setting) => {
    if (setting.key !== 'url' || setting.from !== 'default') return setting;
    return { ...setting, value: clientUrl({ host: address.host, port: address.port }) };
  });
}
