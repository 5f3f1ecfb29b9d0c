/** Colours of the canvases, one set a theme. The same hues as in tokens.css; checked for contrast by a test. */
import type { Tone } from '../memory/cell-face.ts';
import type { Mark } from '../model/event-marks.ts';
import type { SpanKind } from '../model/spans.ts';

export interface Palette {
  readonly ground: string;
  readonly raised: string;
  readonly line: string;
  readonly ink: string;
  readonly quiet: string;
  readonly alarm: string;
  readonly onAlarm: string;
  readonly bracket: string;
  readonly focus: string;
  readonly flash: string;
  readonly lit: string;
  readonly tones: { readonly [Name in Tone]: { readonly fill: string; readonly edge: string } };
  readonly marks: { readonly [Name in Mark]: string };
  readonly spans: { readonly [Name in SpanKind]: { readonly fill: string; readonly ink: string } };
}

/** After Okabe and Ito: blue, orange, green, purple and vermilion stay apart for every kind of sight. */
export const LIGHT: Palette = {
  ground: '#fbfaf6',
  raised: '#f1efe8',
  line: '#d8d4c8',
  ink: '#14171c',
  quiet: '#565b63',
  alarm: '#b3261e',
  onAlarm: '#ffffff',
  bracket: '#8a5a00',
  focus: '#0b57d0',
  flash: '#ffd84d',
  lit: '#0b57d0',
  tones: {
    empty: { fill: 'transparent', edge: '#d8d4c8' },
    zero: { fill: '#e9e7e0', edge: '#6c7078' },
    present: { fill: '#d6e6f5', edge: '#0067a5' },
    migration: { fill: '#fbe7c2', edge: '#b06f00' },
    private: { fill: '#e9dcf5', edge: '#7b3fa6' },
    exclusive: { fill: '#d2eee6', edge: '#00735a' },
    swap: { fill: '#ece2d8', edge: '#7c5a3a' },
    poison: { fill: '#2a2c31', edge: '#14171c' },
  },
  marks: {
    call: '#0067a5',
    callback: '#8a5a00',
    entry: '#7b3fa6',
    access: '#00735a',
    fault: '#9a4a00',
    bracket: '#8a5a00',
    lock: '#4a4f57',
    frame: '#7c5a3a',
    life: '#565b63',
    violation: '#b3261e',
  },
  spans: {
    call: { fill: '#bcd8ee', ink: '#0a2c45' },
    callback: { fill: '#f6d79b', ink: '#402900' },
    bracket: { fill: '#fbe7c2', ink: '#5a3a00' },
    lock: { fill: '#d3d1ca', ink: '#24272c' },
    migration: { fill: '#e0cdf0', ink: '#3d1c57' },
  },
};

export const DARK: Palette = {
  ground: '#101318',
  raised: '#1a1e25',
  line: '#343a44',
  ink: '#eceae4',
  quiet: '#a6abb4',
  alarm: '#ff8a75',
  onAlarm: '#2b0500',
  bracket: '#f2b84b',
  focus: '#8ab8ff',
  flash: '#8a6d00',
  lit: '#8ab8ff',
  tones: {
    empty: { fill: 'transparent', edge: '#343a44' },
    zero: { fill: '#262b33', edge: '#9aa0aa' },
    present: { fill: '#12344e', edge: '#5eb3ec' },
    migration: { fill: '#44300a', edge: '#f2b84b' },
    private: { fill: '#38234a', edge: '#c79bea' },
    exclusive: { fill: '#0d3a31', edge: '#4cc9a7' },
    swap: { fill: '#382b20', edge: '#d0a27a' },
    poison: { fill: '#eceae4', edge: '#eceae4' },
  },
  marks: {
    call: '#5eb3ec',
    callback: '#f2b84b',
    entry: '#c79bea',
    access: '#4cc9a7',
    fault: '#f0955c',
    bracket: '#f2b84b',
    lock: '#b8bdc6',
    frame: '#d0a27a',
    life: '#a6abb4',
    violation: '#ff8a75',
  },
  spans: {
    call: { fill: '#1b4668', ink: '#d8ebfa' },
    callback: { fill: '#5a4010', ink: '#fdebc8' },
    bracket: { fill: '#44300a', ink: '#fbe0ae' },
    lock: { fill: '#3a4049', ink: '#e3e5e9' },
    migration: { fill: '#4a2f61', ink: '#ecdcf9' },
  },
};
