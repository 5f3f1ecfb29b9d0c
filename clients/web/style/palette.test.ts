import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DARK, LIGHT, type Palette } from './palette.ts';

/** WCAG 2: text, and signs that carry meaning. */
const TEXT_MIN = 4.5;
const SIGN_MIN = 3;

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = parts.map((part) =>
    part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function tooFaint(palette: Palette): string[] {
  const pairs: [what: string, ink: string, ground: string, least: number][] = [
    ['ink', palette.ink, palette.ground, TEXT_MIN],
    ['ink on raised', palette.ink, palette.raised, TEXT_MIN],
    ['quiet', palette.quiet, palette.ground, TEXT_MIN],
    ['quiet on raised', palette.quiet, palette.raised, TEXT_MIN],
    ['alarm', palette.alarm, palette.ground, TEXT_MIN],
    ['on alarm', palette.onAlarm, palette.alarm, TEXT_MIN],
    ['bracket', palette.bracket, palette.raised, SIGN_MIN],
    ['focus', palette.focus, palette.ground, SIGN_MIN],
    ...Object.entries(palette.marks).map(([name, colour]): [string, string, string, number] => [
      `mark ${name}`,
      colour,
      palette.ground,
      SIGN_MIN,
    ]),
    ...Object.entries(palette.spans).map(
      ([name, { fill, ink }]): [string, string, string, number] => [
        `span ${name}`,
        ink,
        fill,
        TEXT_MIN,
      ],
    ),
    ...Object.entries(palette.tones)
      .filter(([, { fill }]) => fill.startsWith('#'))
      .map(([name, { fill }]): [string, string, string, number] => {
        const ink = name === 'poison' ? palette.ground : palette.ink;
        return [`cell ${name}`, ink, fill, TEXT_MIN];
      }),
    ...Object.entries(palette.tones)
      .filter(([name, { fill }]) => fill.startsWith('#') && name !== 'poison')
      .map(([name, { fill, edge }]): [string, string, string, number] => [
        `edge ${name}`,
        edge,
        fill,
        SIGN_MIN,
      ]),
  ];
  return pairs.flatMap(([what, ink, ground, least]) => {
    const found = contrast(ink, ground);
    return found >= least ? [] : [`${what}: ${found.toFixed(2)}, at least ${least}`];
  });
}

test('both themes of the canvases have the contrast that WCAG AA asks for', () => {
  assert.deepEqual(tooFaint(LIGHT), []);
  assert.deepEqual(tooFaint(DARK), []);
});

test('a faint ink is found', () => {
  assert.ok(tooFaint({ ...LIGHT, quiet: '#b0b0b0' }).length > 0);
});
